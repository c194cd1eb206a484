"""Telling the hospital and the medical-insurance network that a settlement is done, or was taken back, until both have
heard it."""

from __future__ import annotations

from app.core.work import Work
from app.payment import service as payment
from app.settlement import messages
from app.settlement.models import Settlement

TO_HOSPITAL, TO_NETWORK, TO_REVERSE = "settlement_notice", "sync_self_pay", "settlement_reversed"


def tell_hospital(work: Work, row: Settlement) -> None:
    """It marks the bill settled and issues the e-bill."""
    messages.send(work, row, row.hospital_id, TO_HOSPITAL, {
        "bill_key": messages.bill_of(work, row).key, "setl_id": row.setl_id,
        "fund_fen": row.fund_fen, "account_fen": row.account_fen, "self_pay_fen": row.self_pay_fen,
        "payment_no": _payment_no(work, row), "paid_at": (row.paid_at or work.now).isoformat(),
    })  # fmt: skip


def tell_network(work: Work, row: Settlement) -> None:
    """The self-pay part is settled; where there was none, there is nothing to tell."""
    if row.payment_order_id is None:
        row.network_told = True
        return
    messages.ask(work, row, TO_NETWORK, {
        "setl_id": row.setl_id, "payment_no": _payment_no(work, row),
        "self_pay_fen": row.self_pay_fen, "paid_at": (row.paid_at or work.now).isoformat(),
    })  # fmt: skip


def tell_reversed(work: Work, row: Settlement, *, booked: bool) -> None:
    """The hospital undoes what it may have `booked`, though its answer was lost or said otherwise."""
    if not booked:
        row.reversal_told = True
        return
    body = {"bill_key": messages.bill_of(work, row).key}
    messages.send(work, row, row.hospital_id, TO_REVERSE, body)


def _payment_no(work: Work, row: Settlement) -> str | None:
    return payment.number(work.session, row.payment_order_id) if row.payment_order_id else None
