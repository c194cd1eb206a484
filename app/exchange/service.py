"""The exchange as other features see it."""

from __future__ import annotations

from app.exchange.batches import OpenBatch, Verdict, batch_verdicts, open_batch, settle_batch
from app.exchange.commands import (
    Asked,
    CommandAnswer,
    Terms,
    answer,
    answers,
    asked_bodies,
    command,
    command_all,
    expire,
    shift_deadlines,
    withdraw,
)
from app.exchange.feed import publish
from app.exchange.messages import OpenMessage, OpenRequest, answer_request, open_message, open_request, refuse_message
from app.exchange.parties import (
    Endpoint,
    NewParty,
    add_key,
    endpoint,
    interfaces,
    parties,
    partner_by_code,
    party,
    party_by_code,
    put_partner,
    put_party,
    retire_oldest_key,
)

__all__ = [
    "Asked",
    "CommandAnswer",
    "Endpoint",
    "NewParty",
    "OpenBatch",
    "OpenMessage",
    "OpenRequest",
    "Terms",
    "Verdict",
    "add_key",
    "answer",
    "answer_request",
    "answers",
    "asked_bodies",
    "batch_verdicts",
    "command",
    "command_all",
    "endpoint",
    "expire",
    "interfaces",
    "open_batch",
    "open_message",
    "open_request",
    "parties",
    "partner_by_code",
    "party",
    "party_by_code",
    "publish",
    "put_partner",
    "put_party",
    "refuse_message",
    "retire_oldest_key",
    "settle_batch",
    "shift_deadlines",
    "withdraw",
]
