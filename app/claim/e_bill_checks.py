"""What the e-bill authority says of a claim's e-bills."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from app.claim import rules
from app.claim.assembly import end_ineligible
from app.claim.e_bills import ClaimedEBill, of_claim
from app.claim.models.claims import Claim
from app.claim.models.e_bills import EBillCheck
from app.claim.states import HOLDER, State
from app.claim.steps import get
from app.core.errors import TryLater
from app.core.work import Work

# So long the authority's word that an e-bill is valid is believed; every other word ends the claim at once.
BELIEVED_FOR = timedelta(days=1)
AUTHORITY_PAUSE_S = 30.0
# What the authority says, and the reason that the patient reads.
REASONS = {"reversed": "e_bill_reversed", "unknown": "e_bill_unknown", "check_code_wrong": "e_bill_check_code_wrong"}


def unchecked(work: Work, claim_id: UUID) -> list[ClaimedEBill]:
    """The e-bills of a claim that the authority has to be asked about. None of a claim that waits for nothing."""
    row = get(work, claim_id)
    if row.status != State.VERIFYING:
        return []
    known = {(c.code, c.number, c.check_code) for c in _checks(work, row) if c.asked_at > work.now - BELIEVED_FOR}
    return [e_bill for e_bill in of_claim(work, row) if e_bill.identity not in known]


def remember(work: Work, e_bill: ClaimedEBill, answer: str) -> None:
    identity = {"code": e_bill.code, "number": e_bill.number, "check_code": e_bill.check_code}
    said = {"answer": answer, "asked_at": work.now}
    new = insert(EBillCheck).values(**identity, **said)
    work.session.execute(new.on_conflict_do_update(index_elements=list(identity), set_=said))


def wait(work: Work, claim_id: UUID) -> None:
    """The authority cannot be asked now: the claim shows that it waits for it, and since when."""
    row = get(work, claim_id)
    if row.status == State.VERIFYING and row.waiting is None:
        row.waiting = rules.waits_for("e_bill_authority_silent", work.now)
        row.holder = "platform"


def checked(work: Work, claim_id: UUID) -> bool:
    """Whether the authority stands by every e-bill; otherwise the claim ends and says why. TryLater if one came that it
    was not asked about."""
    row = get(work, claim_id)
    waited, row.waiting = row.waiting is not None, None
    if row.status != State.VERIFYING:
        return False
    if waited:
        row.holder = HOLDER[State.VERIFYING]
    answers = {(c.code, c.number, c.check_code): c.answer for c in _checks(work, row)}
    for e_bill in of_claim(work, row):
        answer = answers.get(e_bill.identity)
        if answer is None:
            raise TryLater(AUTHORITY_PAUSE_S)
        if answer != "valid":
            _forget(work, e_bill)
            end_ineligible(work, row, REASONS[answer])
            return False
    return True


def _forget(work: Work, e_bill: ClaimedEBill) -> None:
    """A bad answer may be mended at the authority: the next claim asks again."""
    mine = (EBillCheck.code == e_bill.code, EBillCheck.number == e_bill.number)
    work.session.execute(delete(EBillCheck).where(*mine))


def _checks(work: Work, row: Claim) -> Sequence[EBillCheck]:
    wanted = [(e.code, e.number) for e in of_claim(work, row)]
    return work.session.scalars(select(EBillCheck).where(tuple_(EBillCheck.code, EBillCheck.number).in_(wanted))).all()
