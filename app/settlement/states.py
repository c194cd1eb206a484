from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from app.core.machine import Machine
from app.settlement.models import Ruling, Settlement


class State(StrEnum):
    CREATED = "created"
    TRIAL_WAITING = "trial_waiting"  # in the interface's line
    TRIALLING = "trialling"
    TRIALLED = "trialled"  # valid for a set time
    SETTLING = "settling"
    SETTLED = "settled"
    SYNCHRONISED = "synchronised"
    FAILED = "failed"  # nothing was settled; what was paid goes back
    REVERSED = "reversed"  # settled with the insurance and taken back (2208)


# A place in the interface's line, or about to be: a person has one.
IN_LINE = (State.CREATED, State.TRIAL_WAITING, State.TRIALLING)


class Part(StrEnum):
    """Where one half of a settlement stands."""

    NONE = "none"
    PENDING = "pending"
    UNKNOWN = "unknown"
    DONE = "done"
    REVERSED = "reversed"


settlements = Machine(
    "settlement",
    Settlement,
    {
        (State.CREATED, "queue"): State.TRIAL_WAITING,
        (State.TRIAL_WAITING, "admit"): State.TRIALLING,
        (State.TRIALLING, "requeue"): State.TRIAL_WAITING,
        (State.TRIALLING, "trial"): State.TRIALLED,
        (State.TRIALLING, "refuse"): State.FAILED,
        (State.TRIAL_WAITING, "leave"): State.FAILED,
        (State.TRIALLED, "expire"): State.FAILED,
        (State.TRIALLED, "settle"): State.SETTLING,
        (State.SETTLING, "settled"): State.SETTLED,
        (State.SETTLING, "fail"): State.FAILED,
        (State.SETTLING, "reverse"): State.REVERSED,
        (State.SETTLED, "reverse"): State.REVERSED,
        (State.SETTLED, "synchronise"): State.SYNCHRONISED,
    },
)


# Which part may follow which: what a part has become is never taken back by an answer that comes late.
PART_MOVES: Mapping[tuple[Part, str], Part] = {
    (Part.NONE, "ask"): Part.PENDING,
    (Part.PENDING, "do"): Part.DONE,
    (Part.PENDING, "refuse"): Part.NONE,
    (Part.PENDING, "lose"): Part.UNKNOWN,
    (Part.UNKNOWN, "ask"): Part.PENDING,
    (Part.UNKNOWN, "do"): Part.DONE,
    (Part.UNKNOWN, "refuse"): Part.NONE,
    (Part.UNKNOWN, "reverse"): Part.REVERSED,
    (Part.DONE, "reverse"): Part.REVERSED,
}
PART_EVENTS = frozenset(event for _, event in PART_MOVES)


class RulingState(StrEnum):
    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    DECLINED = "declined"


rulings = Machine(
    "settlement_ruling",
    Ruling,
    {
        (RulingState.PROPOSED, "confirm"): RulingState.CONFIRMED,
        (RulingState.PROPOSED, "decline"): RulingState.DECLINED,
    },
)
