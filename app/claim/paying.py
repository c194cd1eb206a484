"""What payout needs to know of a claim, and what it reports back."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from app.claim.models.claims import Claim
from app.claim.queries import lookup, outcomes
from app.claim.states import AT_INSURER, State
from app.claim.steps import advance, get, tell
from app.core.db import Checked
from app.core.errors import Conflict, NotFound
from app.core.work import Work
from app.record import service as records


@dataclass(frozen=True)
class Payable:
    """A claim of which something may be paid, and where its money goes. `ceiling_fen`: what its payouts may add up to,
    counting what is being recovered of them."""

    claim_id: UUID
    claim_no: str
    account_id: UUID
    person_id: UUID
    insurer_id: UUID
    ceiling_fen: int
    payee_kind: str
    payee_relation: str
    product_name: str
    product_filing_no: str
    payee_name: str = field(repr=False)
    payee_account: str | None = field(repr=False)


def insured(work: Work, claim_id: UUID) -> UUID:
    """The person whose claim it is. Nothing is locked."""
    row = work.session.get(Claim, claim_id)
    if row is None:
        raise NotFound
    return row.person_id


def payable(work: Work, claim_id: UUID) -> Payable | None:
    """Read for a payout; None if nothing of the claim may be paid. Check fields of bills, clearing rows, recoveries and
    the decision are verified first (Tampered). The claim stays locked, so that there is one answer at a time."""
    row = get(work, claim_id)
    clearings = lookup.bills(work.session, row.id)
    if row.status not in AT_INSURER or not any(clearing.payable_fen for clearing in clearings):
        return None
    records.verify_checks(work, [clearing.bill_id for clearing in clearings])
    decision = outcomes.latest_decision(work.session, row.id)
    assert decision is not None
    lines, recoveries = outcomes.decision_lines(work.session, decision.id), outcomes.recoveries(work.session, row.id)
    rows: list[Checked] = [*clearings, decision, *lines, *recoveries]
    for row_of_money in rows:
        row_of_money.require_check(work.privacy)
    policy = lookup.policy_of(work.session, row)
    return Payable(
        claim_id=row.id,
        claim_no=row.no,
        account_id=row.account_id,
        person_id=row.person_id,
        insurer_id=row.insurer_id,
        ceiling_fen=_ceiling_fen(work, row),
        payee_kind=row.payee_kind,
        payee_relation=row.payee_relation,
        product_name=policy.product_name,
        product_filing_no=policy.product_filing_no,
        payee_name=work.reveal(row, "payee_name_sealed", "payout"),
        payee_account=work.reveal(row, "payee_account_sealed", "payout") if row.payee_kind == "bank" else None,
    )


def ceiling_fen(work: Work, claim_id: UUID) -> int:
    """What the claim's payouts may add up to, under its lock."""
    return _ceiling_fen(work, get(work, claim_id))


def _ceiling_fen(work: Work, row: Claim) -> int:
    work.session.flush()
    return outcomes.payable_fen(work.session, row.id) + outcomes.owed_fen(work.session, row.id)


def paying(work: Work, claim_id: UUID) -> None:
    """A payout was created, or one that pays a part is still on its way."""
    advance(work, get(work, claim_id), "pay")


def all_paid(work: Work, claim_id: UUID) -> None:
    """An accepted decision leaves nothing to pay: all of it was paid before."""
    advance(work, get(work, claim_id), "paid")


def paid(work: Work, claim_id: UUID, payout_id: UUID, amount_fen: int) -> None:
    """The money has arrived; the patient is told, and what became payable meanwhile follows."""
    row = get(work, claim_id)
    row.paid_fen += amount_fen
    more = _ceiling_fen(work, row) > row.paid_fen
    if row.status == State.PAYING:
        advance(work, row, "part_paid" if more else "paid")
    if more:
        work.emit("claim.payable", row.id)
    tell(work, row, "paid", {"no": row.no}, str(payout_id))


def unpaid(work: Work, claim_id: UUID) -> None:
    """The payout certainly failed or was cancelled: the claim waits for another way to pay."""
    advance(work, get(work, claim_id), "unpaid")


def stopped(work: Work, claim_id: UUID) -> None:
    """A payout was stopped before anything was sent; what is still payable gets another one."""
    row = get(work, claim_id)
    advance(work, row, "unpaid")
    work.emit("claim.payable", row.id)


def returned(work: Work, claim_id: UUID, payout_id: UUID, amount_fen: int) -> None:
    """A bank sent the money back (退票)."""
    row = get(work, claim_id)
    row.paid_fen -= amount_fen
    advance(work, row, "returned")
    tell(work, row, "payout_failed", {"no": row.no}, f"returned:{payout_id}")


def tell_insurer(work: Work, claim_id: UUID, args: dict[str, object]) -> None:
    """Report a payout's end to the insurer: {payout_no, amount_fen, status, at}."""
    work.later("claim.tell_payout", claim_id, args=args)


def change_payee_to_bank(work: Work, account_id: UUID, claim_id: UUID, bank_account: str) -> None:
    """Another way to receive, after a payout is proved dead (and no other one pays the claim)."""
    row = get(work, claim_id)
    if row.account_id != account_id:
        raise NotFound
    if row.status not in AT_INSURER or row.status == State.PAYING:
        raise Conflict("payout_open", "上一笔付款还没有结束，暂不能更换收款方式")
    row.payee_kind = "bank"
    work.seal(row, "payee_account_sealed", bank_account)
