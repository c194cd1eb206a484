"""One e-bill is paid once: which claims it stands in, and what is left of its bill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from app.claim.models.claims import Claim
from app.claim.models.e_bills import EBillGuard
from app.claim.queries import lookup, outcomes
from app.claim.steps import left_to_claim
from app.core.work import Work
from app.record import queries as record


@dataclass(frozen=True)
class ClaimedEBill:
    """An e-bill of a claim's bill. Code, number and check code together are its identity."""

    code: str
    number: str
    check_code: str
    issued_on: date
    bill_id: UUID

    @property
    def identity(self) -> tuple[str, str, str]:
        return self.code, self.number, self.check_code


def of_claim(work: Work, row: Claim) -> list[ClaimedEBill]:
    found = record.e_bills(work.session, [b.bill_id for b in lookup.bills(work.session, row.id)])
    return [ClaimedEBill(e.code, e.number, e.check_code, e.issued_on, e.bill_id) for e in found]


def guard(work: Work, row: Claim, policies: Sequence[str]) -> tuple[str | None, str]:
    """(The first of these policies whose guard lets the claim's e-bills in, or None; else why not.)

    One e-bill is in at most one live claim of a policy, and all claims that it is in, of whatever insurer, are on the
    same bill: so what is left of the bill is what is left of the e-bill.
    """
    e_bills = of_claim(work, row)
    _lock(work, e_bills)
    if _under_another_bill(work, row, e_bills):
        return None, "e_bill_claimed"
    return next((policy_no for policy_no in policies if _enter(work, row, policy_no, e_bills)), None), "bill_claimed"


def _lock(work: Work, e_bills: Sequence[ClaimedEBill]) -> None:
    for key in sorted(f"e-bill:{e_bill.code}:{e_bill.number}" for e_bill in e_bills):
        work.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))


def _under_another_bill(work: Work, row: Claim, e_bills: Sequence[ClaimedEBill]) -> bool:
    """A hospital that puts an e-bill to another bill does not make it payable a second time."""
    bills = {(e_bill.code, e_bill.number): e_bill.bill_id for e_bill in e_bills}
    others = select(EBillGuard).where(tuple_(EBillGuard.code, EBillGuard.number).in_(list(bills)))
    held = work.session.scalars(others.where(EBillGuard.claim_id != row.id))
    return any(bills[one.code, one.number] != one.bill_id for one in held)


def _enter(work: Work, row: Claim, policy_no: str, e_bills: Sequence[ClaimedEBill]) -> bool:
    """The primary key decides, also between two transactions."""
    wanted = [
        {
            **{name: getattr(e_bill, name) for name in ("code", "number", "check_code", "bill_id")},
            "insurer_id": row.insurer_id,
            "policy_no": policy_no,
            "claim_id": row.id,
        }
        for e_bill in e_bills
    ]
    work.session.execute(insert(EBillGuard).values(wanted).on_conflict_do_nothing())
    mine = (EBillGuard.claim_id == row.id, EBillGuard.policy_no == policy_no)
    if work.session.scalar(select(func.count()).where(*mine)) == len(wanted):
        return True
    work.session.execute(delete(EBillGuard).where(*mine))
    return False


def left_fen(work: Work, bill_id: UUID, borne_fen: int, but: UUID | None = None) -> int:
    """What other claims of ours leave of a bill, less what insurers say was paid for it outside of Zhipei."""
    return left_to_claim(work, bill_id, borne_fen, but) - outcomes.paid_elsewhere_fen(work.session, bill_id)
