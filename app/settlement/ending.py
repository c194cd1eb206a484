"""The end without a settlement: the patient is told, and what was paid goes back."""

from __future__ import annotations

from app.core.work import Work
from app.payment import service as payment
from app.settlement import rules
from app.settlement.models import Settlement
from app.settlement.states import Part, settlements
from app.settlement.trials import tell

REASON = "医保结算未成功，自付部分退回"


def fail(work: Work, row: Settlement, code: str | None) -> None:
    """Nothing stands at the interface, and nothing can come to stand there any more."""
    settlements.move(work, [row.id], "fail", values={"refused_code": code or "refused"})
    give_back(work, row)


def give_back(work: Work, row: Settlement) -> None:
    """Tell the patient, and refund what was paid. The caller has proof that the insurance has settled nothing."""
    paid = row.self_pay_part == Part.DONE
    tell(work, row, "settlement_failed", {"reason": rules.THEN_REFUND if paid else rules.THEN_AGAIN})
    if paid and row.payment_order_id is not None and row.self_pay_fen:
        payment.refund(work, row.payment_order_id, row.self_pay_fen, REASON)
