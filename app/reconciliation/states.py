from __future__ import annotations

from enum import StrEnum

from app.core.machine import Machine
from app.reconciliation.models import Difference, PartyLedger, Run


class RunState(StrEnum):
    COLLECTING = "collecting"
    COMPARING = "comparing"
    BLOCKED = "blocked"  # a party's part is missing or wrong; the other parts were compared
    BALANCED = "balanced"
    DIFFERENCES = "differences"


class LedgerState(StrEnum):
    WAITING = "waiting"
    ARRIVED = "arrived"
    BLOCKED = "blocked"


class DifferenceState(StrEnum):
    OPEN = "open"
    SUSPENDED = "suspended"  # a row that may still appear on a neighbouring business date
    ASSIGNED = "assigned"
    PROPOSED = "proposed"  # a correction of money waits for a second person
    RESOLVED = "resolved"
    CLEARED = "cleared"  # by itself: healed, or matched with a neighbouring date


RUNNING = (RunState.COLLECTING, RunState.COMPARING)
ENDED = (RunState.BLOCKED, RunState.BALANCED, RunState.DIFFERENCES)
LIVE = (DifferenceState.OPEN, DifferenceState.SUSPENDED, DifferenceState.ASSIGNED, DifferenceState.PROPOSED)

runs = Machine(
    "reconciliation_run",
    Run,
    {
        (RunState.COLLECTING, "compare"): RunState.COMPARING,
        (RunState.COLLECTING, "block"): RunState.BLOCKED,
        (RunState.COMPARING, "block"): RunState.BLOCKED,
        (RunState.COMPARING, "balance"): RunState.BALANCED,
        (RunState.COMPARING, "differ"): RunState.DIFFERENCES,
    },
)
ledgers = Machine(
    "reconciliation_party_ledger",
    PartyLedger,
    {
        (LedgerState.WAITING, "arrive"): LedgerState.ARRIVED,
        (LedgerState.WAITING, "block"): LedgerState.BLOCKED,
    },
)
differences = Machine(
    "reconciliation_difference",
    Difference,
    {
        (DifferenceState.SUSPENDED, "overdue"): DifferenceState.OPEN,
        (DifferenceState.OPEN, "assign"): DifferenceState.ASSIGNED,
        (DifferenceState.SUSPENDED, "assign"): DifferenceState.ASSIGNED,
        (DifferenceState.ASSIGNED, "assign"): DifferenceState.ASSIGNED,
        (DifferenceState.ASSIGNED, "propose"): DifferenceState.PROPOSED,
        (DifferenceState.ASSIGNED, "resolve"): DifferenceState.RESOLVED,
        (DifferenceState.PROPOSED, "resolve"): DifferenceState.RESOLVED,
        (DifferenceState.PROPOSED, "decline"): DifferenceState.ASSIGNED,
        **{(state, "clear"): DifferenceState.CLEARED for state in LIVE},
        (DifferenceState.RESOLVED, "reopen"): DifferenceState.OPEN,
        (DifferenceState.CLEARED, "reopen"): DifferenceState.OPEN,
    },
)
