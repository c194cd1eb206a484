from __future__ import annotations

from enum import StrEnum

from app.core.machine import Machine
from app.exchange.models import Batch, Command, DataRequest


class BatchState(StrEnum):
    RECEIVED = "received"  # declared count, sum and hash were right
    CHECKED = "checked"  # somebody has opened it
    APPLIED = "applied"
    REFUSED = "refused"  # every row was refused


class CommandState(StrEnum):
    OPEN = "open"
    FETCHED = "fetched"
    ANSWERED = "answered"
    OVERDUE = "overdue"
    WITHDRAWN = "withdrawn"


class RequestState(StrEnum):
    OPEN = "open"
    FETCHED = "fetched"  # somebody is collecting what was asked for
    ANSWERED = "answered"
    OVERDUE = "overdue"
    WITHDRAWN = "withdrawn"


batches = Machine(
    "batch",
    Batch,
    {
        (BatchState.RECEIVED, "open"): BatchState.CHECKED,
        (BatchState.CHECKED, "apply"): BatchState.APPLIED,
        (BatchState.CHECKED, "refuse"): BatchState.REFUSED,
        # Verdicts may be refined: a row that waited for its parent has found it.
        (BatchState.APPLIED, "apply"): BatchState.APPLIED,
        (BatchState.REFUSED, "apply"): BatchState.APPLIED,
        (BatchState.APPLIED, "refuse"): BatchState.REFUSED,
        (BatchState.REFUSED, "refuse"): BatchState.REFUSED,
    },
)
commands = Machine(
    "command",
    Command,
    {
        (CommandState.OPEN, "fetch"): CommandState.FETCHED,
        (CommandState.FETCHED, "fetch"): CommandState.FETCHED,
        (CommandState.FETCHED, "answer"): CommandState.ANSWERED,
        # Of a command that may be handed out again: what the partner did is done, however late we hear of it.
        (CommandState.OVERDUE, "answer_late"): CommandState.ANSWERED,
        (CommandState.OPEN, "expire"): CommandState.OVERDUE,
        (CommandState.FETCHED, "expire"): CommandState.OVERDUE,
        (CommandState.OPEN, "withdraw"): CommandState.WITHDRAWN,
        (CommandState.FETCHED, "withdraw"): CommandState.WITHDRAWN,
    },
)
requests = Machine(
    "data_request",
    DataRequest,
    {
        (RequestState.OPEN, "open"): RequestState.FETCHED,
        (RequestState.OPEN, "answer"): RequestState.ANSWERED,
        (RequestState.FETCHED, "answer"): RequestState.ANSWERED,
        (RequestState.OPEN, "expire"): RequestState.OVERDUE,
        (RequestState.FETCHED, "expire"): RequestState.OVERDUE,
        (RequestState.OPEN, "withdraw"): RequestState.WITHDRAWN,
        (RequestState.FETCHED, "withdraw"): RequestState.WITHDRAWN,
    },
)
