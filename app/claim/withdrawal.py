"""Taking a claim back before it is decided: by the patient, by the hospital, by a withdrawn consent.

What the insurer has booked is reversed under clearing numbers of its own. These count only when the insurer has
accepted the withdrawal: if its decision was faster, the books of all three keep the row, and nothing is paid.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.claim import rules
from app.claim.assembly import release_bills
from app.claim.models.claims import Claim, ClaimBill
from app.claim.queries import lookup, outcomes
from app.claim.states import State
from app.claim.steps import advance, get, mine, tell
from app.core.errors import Conflict
from app.core.ids import clearing_number
from app.core.sequence import next_no
from app.core.work import Work


def withdraw(work: Work, account_id: UUID, claim_id: UUID) -> Claim:
    """Possible until the decision."""
    row = mine(work, account_id, claim_id)
    if not _withdraw(work, row):
        raise Conflict("too_late_to_withdraw", "理赔已有结果或已结束，不能撤回")
    return row


def consent_withdrawn(work: Work, consent_id: UUID) -> None:
    """Nothing more is shared: claims whose package was not sealed yet are taken back."""
    for row in _locked(work, lookup.claims_under_consent(work.session, consent_id)):
        if row.status in (State.ASSEMBLING, State.VERIFYING, State.VERIFIED):
            give_back(work, row, "consent_withdrawn")


def give_back(work: Work, row: Claim, code: str) -> None:
    """Withdraw a claim that cannot go on, and tell the patient why."""
    if _withdraw(work, row, reasons=[{"code": code, "text": rules.TEXTS[code]}]):
        tell(work, row, "claim_ineligible", {"no": row.no, "reason": rules.TEXTS[code]}, code)


def _withdraw(work: Work, row: Claim, **values: object) -> bool:
    """False once there is a decision, be it an interim one: money may be on its way."""
    if outcomes.latest_decision(work.session, row.id) is not None or not advance(work, row, "withdraw", **values):
        return False
    release_bills(work, row)
    if any(clearing.booked_at is not None for clearing in lookup.bills(work.session, row.id)):
        reverse(work, row)
    work.emit("claim.withdrawn", row.id)
    return True


def reverse(work: Work, row: Claim) -> None:
    """A reversing row for each booked one, and the insurer is asked to take the case back."""
    reversing_rows(work, [clearing for clearing in lookup.bills(work.session, row.id) if clearing.kind == "pay"])
    work.later("claim.tell_withdrawal", row.id)


def reversing_rows(work: Work, originals: Sequence[ClaimBill]) -> list[ClaimBill]:
    """A row of its own for each that is taken back, in the same order, under a number of today's."""
    today = work.clock.today()
    first = next_no(work.session, f"clearing:{today}", len(originals))
    rows = [
        ClaimBill(
            clearing_no=clearing_number(today, ordinal),
            business_date=today,
            ordinal=ordinal,
            kind="reverse",
            original_clearing_no=original.clearing_no,
            claim_id=original.claim_id,
            bill_id=original.bill_id,
            hospital_id=original.hospital_id,
            insurer_id=original.insurer_id,
            borne_fen=original.borne_fen,
            lost_fen=0,
            payable_fen=0,
            live=False,
        )
        for ordinal, original in enumerate(originals, first)
    ]
    work.add(*rows)
    return rows


def _locked(work: Work, rows: Sequence[Claim]) -> list[Claim]:
    """All of them, in the order of their ids, before anything is done to one."""
    return [get(work, row.id) for row in rows]
