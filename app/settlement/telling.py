"""Telling the hospital and the medical-insurance network that a settlement is done, until both have heard it."""

from __future__ import annotations

from uuid import UUID

from app.core.errors import NotFound
from app.core.work import Work
from app.exchange import service as exchange
from app.payment import service as payment
from app.record import queries as record
from app.settlement.models import Settlement

LANE = "settlement"
TO_HOSPITAL, TO_NETWORK = "settlement_notice", "sync_self_pay"


def tell_hospital(work: Work, row: Settlement) -> None:
    """It marks the bill settled and issues the e-bill."""
    bill = record.bill(work.session, row.bill_id)
    if bill is None:
        raise NotFound
    _command(work, row, row.hospital_id, TO_HOSPITAL, {
        "bill_key": bill.key, "setl_id": row.setl_id,
        "fund_fen": row.fund_fen, "account_fen": row.account_fen, "self_pay_fen": row.self_pay_fen,
        "payment_no": _payment_no(work, row), "paid_at": (row.paid_at or work.now).isoformat(),
    })  # fmt: skip


def tell_network(work: Work, row: Settlement) -> None:
    """The self-pay part is settled; where there was none, there is nothing to tell."""
    if row.payment_order_id is None:
        row.network_told = True
        return
    _command(work, row, row.interface_id, TO_NETWORK, {
        "setl_id": row.setl_id, "payment_no": _payment_no(work, row),
        "self_pay_fen": row.self_pay_fen, "paid_at": (row.paid_at or work.now).isoformat(),
    })  # fmt: skip


def _payment_no(work: Work, row: Settlement) -> str | None:
    return payment.number(work.session, row.payment_order_id) if row.payment_order_id else None


def _command(work: Work, row: Settlement, to: UUID, kind: str, body: dict[str, object]) -> None:
    exchange.command(work, to, kind, {"settlement_no": row.no, **body}, lane=LANE, subject=row.id)
