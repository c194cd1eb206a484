from __future__ import annotations

from enum import StrEnum

from app.claim.models.claims import Claim
from app.claim.models.decisions import Recovery
from app.core.machine import Machine


class State(StrEnum):
    SUBMITTED = "submitted"
    ASSEMBLING = "assembling"  # the hospital's data are waited for
    VERIFYING = "verifying"
    INELIGIBLE = "ineligible"
    VERIFIED = "verified"
    DELIVERING = "delivering"
    ADJUDICATING = "adjudicating"
    NEEDS_DOCUMENTS = "needs_documents"
    APPROVED = "approved"  # fully or partly
    REJECTED = "rejected"
    ACCEPTED = "accepted"
    APPEALED = "appealed"
    PAYING = "paying"
    PAID = "paid"
    CLOSED = "closed"  # rejected and nobody objected, or the hospital took its bills back after the decision
    WITHDRAWN = "withdrawn"


# Who must act while a claim is in this state.
HOLDER = {
    State.SUBMITTED: "platform",
    State.ASSEMBLING: "hospital",
    State.VERIFYING: "insurer",
    State.INELIGIBLE: "nobody",
    State.VERIFIED: "platform",
    State.DELIVERING: "platform",
    State.ADJUDICATING: "insurer",
    State.NEEDS_DOCUMENTS: "patient",
    State.APPROVED: "patient",
    State.REJECTED: "patient",
    State.ACCEPTED: "platform",
    State.APPEALED: "insurer",
    State.PAYING: "insurer",
    State.PAID: "nobody",
    State.CLOSED: "nobody",
    State.WITHDRAWN: "nobody",
}
# A claim in one of these still holds its bills.
LIVE = tuple(s for s in State if s not in (State.INELIGIBLE, State.WITHDRAWN))

# The insurer has the claim and has not decided it.
UNDECIDED = (State.ADJUDICATING, State.NEEDS_DOCUMENTS)
# The insurer owes a decision.
DECISION_DUE = (*UNDECIDED, State.APPEALED)
# The insurer may decide in one of these: it need not wait for documents that it has asked for, and may revise what it
# has decided until that is accepted.
DECIDABLE = (*DECISION_DUE, State.APPROVED, State.REJECTED)
# The insurer has the claim and the patient may still get money of it: a part that is certain is paid in each of these.
AT_INSURER = (
    *DECIDABLE,
    State.ACCEPTED,
    State.PAYING,
    State.PAID,
)

claims = Machine(
    "claim",
    Claim,
    {
        (State.SUBMITTED, "assemble"): State.ASSEMBLING,
        (State.ASSEMBLING, "verify"): State.VERIFYING,
        (State.VERIFYING, "eligible"): State.VERIFIED,
        (State.VERIFYING, "ineligible"): State.INELIGIBLE,
        (State.ASSEMBLING, "ineligible"): State.INELIGIBLE,
        (State.VERIFIED, "ineligible"): State.INELIGIBLE,
        (State.VERIFIED, "deliver"): State.DELIVERING,
        (State.DELIVERING, "delivered"): State.ADJUDICATING,
        (State.DELIVERING, "ineligible"): State.INELIGIBLE,
        (State.ADJUDICATING, "ask_documents"): State.NEEDS_DOCUMENTS,
        (State.NEEDS_DOCUMENTS, "documents_sent"): State.ADJUDICATING,
        (State.NEEDS_DOCUMENTS, "documents_late"): State.ADJUDICATING,
        (State.APPROVED, "accept"): State.ACCEPTED,
        (State.APPROVED, "appeal"): State.APPEALED,
        (State.REJECTED, "appeal"): State.APPEALED,
        (State.REJECTED, "give_up"): State.CLOSED,
        **{(state, "approve"): State.APPROVED for state in DECIDABLE},
        **{(state, "reject"): State.REJECTED for state in DECIDABLE},
        **{(state, "lose_bills"): State.CLOSED for state in AT_INSURER},
        (State.ACCEPTED, "pay"): State.PAYING,
        (State.PAYING, "paid"): State.PAID,
        (State.PAYING, "unpaid"): State.ACCEPTED,
        (State.PAYING, "part_paid"): State.ACCEPTED,
        (State.ACCEPTED, "paid"): State.PAID,
        (State.PAID, "returned"): State.ACCEPTED,
        **{
            (state, "withdraw"): State.WITHDRAWN
            for state in (
                State.SUBMITTED,
                State.ASSEMBLING,
                State.VERIFYING,
                State.VERIFIED,
                State.DELIVERING,
                State.ADJUDICATING,
                State.NEEDS_DOCUMENTS,
            )
        },
    },
)


class RecoveryState(StrEnum):
    WAITING = "waiting"  # money for the bill is on its way, and nobody knows yet whether it arrives
    OPEN = "open"  # the payee has what must come back
    REPAID = "repaid"
    WRITTEN_OFF = "written_off"
    VOID = "void"  # nothing was paid, or the bank sent it back


# Who must act while a recovery is in this state.
RECOVERY_HOLDER = {
    RecoveryState.WAITING: "platform",
    RecoveryState.OPEN: "insurer",
    RecoveryState.REPAID: "nobody",
    RecoveryState.WRITTEN_OFF: "nobody",
    RecoveryState.VOID: "nobody",
}
# The patient has money of the bill, or may still get it: the bill is not free for another claim.
UNRECOVERED = (RecoveryState.WAITING, RecoveryState.OPEN, RecoveryState.WRITTEN_OFF)

recoveries = Machine(
    "recovery",
    Recovery,
    {
        (RecoveryState.WAITING, "owe"): RecoveryState.OPEN,
        (RecoveryState.WAITING, "void"): RecoveryState.VOID,
        (RecoveryState.OPEN, "void"): RecoveryState.VOID,
        (RecoveryState.OPEN, "repay"): RecoveryState.REPAID,
        (RecoveryState.OPEN, "write_off"): RecoveryState.WRITTEN_OFF,
    },
)
