"""What payout needs to know of a claim, and what it reports back."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from app.claim import queries
from app.claim.states import State
from app.claim.steps import advance, get, tell
from app.core.db import Checked
from app.core.errors import Conflict, NotFound
from app.core.work import Work
from app.record import service as records


@dataclass(frozen=True)
class Payable:
    """A claim that was approved and accepted, and where its money goes."""

    claim_id: UUID
    claim_no: str
    account_id: UUID
    person_id: UUID
    insurer_id: UUID
    approved_fen: int
    payee_kind: str
    payee_relation: str
    product_name: str
    product_filing_no: str
    payee_name: str = field(repr=False)
    payee_account: str | None = field(repr=False)


def payable(work: Work, claim_id: UUID) -> Payable | None:
    """Read for a payout; None unless the claim waits to be paid. Check fields of bills, clearing rows and the decision
    are verified first (Tampered). The claim stays locked, so that there is one answer at a time."""
    row = get(work, claim_id)
    if row.status != State.ACCEPTED:
        return None
    clearings = queries.bills(work.session, row.id)
    records.verify_checks(work, [clearing.bill_id for clearing in clearings])
    decision = queries.latest_decision(work.session, row.id)
    assert decision is not None
    rows: list[Checked] = [*clearings, decision, *queries.decision_lines(work.session, decision.id)]
    for row_of_money in rows:
        row_of_money.require_check(work.privacy)
    policy = queries.policy_of(work.session, row)
    return Payable(
        claim_id=row.id,
        claim_no=row.no,
        account_id=row.account_id,
        person_id=row.person_id,
        insurer_id=row.insurer_id,
        approved_fen=decision.approved_fen,
        payee_kind=row.payee_kind,
        payee_relation=row.payee_relation,
        product_name=policy.product_name,
        product_filing_no=policy.product_filing_no,
        payee_name=work.reveal(row, "payee_name_sealed", "payout"),
        payee_account=work.reveal(row, "payee_account_sealed", "payout") if row.payee_kind == "bank" else None,
    )


def paying(work: Work, claim_id: UUID) -> None:
    """A payout was created."""
    advance(work, get(work, claim_id), "pay")


def paid(work: Work, claim_id: UUID, amount_fen: int) -> None:
    """The money has arrived; the patient is told."""
    row = get(work, claim_id)
    row.paid_fen += amount_fen
    advance(work, row, "paid")
    tell(work, row, "paid", {"no": row.no}, str(row.paid_fen))


def unpaid(work: Work, claim_id: UUID) -> None:
    """The payout certainly failed or was cancelled: the claim waits for another way to pay."""
    advance(work, get(work, claim_id), "unpaid")


def returned(work: Work, claim_id: UUID, amount_fen: int) -> None:
    """A bank sent the money back (退票)."""
    row = get(work, claim_id)
    row.paid_fen -= amount_fen
    advance(work, row, "returned")
    tell(work, row, "payout_failed", {"no": row.no}, f"returned:{row.status_since}")


def tell_insurer(work: Work, claim_id: UUID, args: dict[str, object]) -> None:
    """Report a payout's end to the insurer: {payout_no, amount_fen, status, at}."""
    work.later("claim.tell_payout", claim_id, args=args)


def change_payee_to_bank(work: Work, account_id: UUID, claim_id: UUID, bank_account: str) -> None:
    """Another way to receive, after the first payout is proved dead (the claim is accepted and not paying)."""
    row = get(work, claim_id)
    if row.account_id != account_id:
        raise NotFound
    if row.status != State.ACCEPTED:
        raise Conflict("payout_open", "上一笔付款还没有结束，暂不能更换收款方式")
    row.payee_kind = "bank"
    work.seal(row, "payee_account_sealed", bank_account)
