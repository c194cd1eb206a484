"""A till of H1: orders of known patients, and what WeChat knows of them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.payment import service
from tests.app.patients import House, Known


@dataclass
class Till:
    house: House

    def order(self, patient: Known, amount_fen: int = 1250, *, in_s: float = 900, place: bool = True) -> UUID:
        """An order for nothing in particular; placed with WeChat unless told otherwise."""
        with self.house.runtime.work() as work:
            order_id = service.order(
                work,
                hospital_id=self.house.hospital_id(),
                account_id=patient.account_id,
                purpose="test",
                subject=uuid.uuid4(),
                amount_fen=amount_fen,
                description="挂号费",
                expires_at=work.now + timedelta(seconds=in_s),
            )
        if place:
            self.house.drain_all("payment.prepay")
        return order_id

    def row(self, order_id: UUID) -> Any:
        (row,) = self.house.rows("SELECT * FROM payment_order WHERE id = :id", id=order_id)
        return row

    def status(self, order_id: UUID) -> str:
        return str(self.row(order_id).status)

    def refund_row(self, order_id: UUID) -> Any:
        (row,) = self.house.rows("SELECT * FROM refund WHERE order_id = :id", id=order_id)
        return row

    def pay(self, patient: Known, order_id: UUID) -> dict[str, Any]:
        """The user pays by the prepay id that WeChat gave, whether we know it yet or not."""
        number = self.row(order_id).out_trade_no
        prepay_id = next(o["prepay_id"] for o in self.house.wechat.orders.waiting() if o["out_trade_no"] == number)
        return self.house.wechat.cashier.pay(patient.user, prepay_id)

    def hear(self, order_id: UUID, status: str = "paid") -> None:
        """Wait until a notification has come in, and apply it."""
        self.house.until(lambda: self._heard(order_id))
        self.house.drain_all("payment.apply_notification")
        assert self.status(order_id) == status

    def _heard(self, order_id: UUID) -> int:
        query = "SELECT count(*) FROM pay_notification WHERE content ->> 'out_trade_no' = :number"
        return int(self.house.value(query, number=self.row(order_id).out_trade_no))

    def paid(self, patient: Known, amount_fen: int = 1250) -> UUID:
        order_id = self.order(patient, amount_fen)
        self.pay(patient, order_id)
        self.hear(order_id)
        return order_id

    def paid_by_query(self, patient: Known, amount_fen: int = 1250) -> UUID:
        """Where WeChat's notifications are lost."""
        order_id = self.order(patient, amount_fen)
        self.pay(patient, order_id)
        self.house.drain_all("payment.look", hurry=True)
        assert self.status(order_id) == "paid"
        return order_id

    def refund(self, order_id: UUID, amount_fen: int = 1250) -> UUID:
        with self.house.runtime.work() as work:
            return service.refund(work, order_id, amount_fen, "测试退款")

    def at_wechat(self, order_id: UUID) -> dict[str, Any]:
        """The order's refund as WeChat has it; there is only one."""
        (found,) = self.refunds_at_wechat(order_id)
        return found

    def refunds_at_wechat(self, order_id: UUID) -> list[dict[str, Any]]:
        number = self.row(order_id).out_trade_no
        return [r for r in self.house.wechat.memory.load("refund").values() if r["out_trade_no"] == number]

    def push_key(self, order_id: UUID) -> str:
        """WeChat's number of its notification of the payment."""
        number, pushes = self.row(order_id).out_trade_no, self.house.wechat.memory.load("push")
        return next(k for k, row in pushes.items() if row["kind"] == "pay" and number in row["content"]["about"])

    def told(self, order_id: UUID, event: str) -> int:
        """How many times a floor above was told: one task for each listener and telling."""
        kinds = {"paid": "appointment.fee_paid", "closed": "appointment.fee_closed",
                 "refunded": "settlement.self_pay_refunded",
                 "refund_failed": "settlement.self_pay_not_refunded"}  # fmt: skip
        query = "SELECT count(*) FROM task WHERE kind = :kind AND subject = :id"
        return int(self.house.value(query, kind=kinds[event], id=order_id))
