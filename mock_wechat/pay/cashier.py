"""The cashier that opens on the phone: who may pay an order, and the money when it is paid."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from mock_wechat.account.people import People
from mock_wechat.errors import PhoneError
from mock_wechat.ground import Ground
from mock_wechat.pay.accounts import Accounts, Movement
from mock_wechat.pay.notices import Notices
from mock_wechat.pay.orders import Orders, describe
from mock_wechat.times import rfc3339


class Cashier:
    def __init__(self, ground: Ground, people: People, orders: Orders, accounts: Accounts, notices: Notices) -> None:
        self._ground, self._people, self._orders = ground, people, orders
        self._accounts, self._notices = accounts, notices

    def payable(self, user: str, prepay_id: str) -> dict[str, Any]:
        """The order behind a prepay_id, if this user can pay it now."""
        row = self._orders.behind(prepay_id)
        if row is None:
            raise PhoneError(409, "prepay_expired", "支付会话已过期")
        if row["state"] != "NOTPAY":
            raise PhoneError(409, "order_finished", "该订单已支付或已关闭")
        if self._people.find(row["appid"], row["payer"]["openid"]) != user:
            raise PhoneError(403, "wrong_user", "下单账号与支付账号不一致")
        return row

    def pay(self, user: str, prepay_id: str) -> dict[str, Any]:
        """The person enters the payment password; the paid order."""
        with self._ground.lock:
            row = self.payable(user, prepay_id)
            self._take_money(user, row["amount"]["total"])
            transaction_id = "42000" + self._ground.now().strftime("%Y%m%d") + f"{self._ground.number('order'):015d}"
            now = rfc3339(self._ground.now())
            row = {**row, "state": "SUCCESS", "transaction_id": transaction_id, "success_time": now}
            row |= {"date": self._ground.book_date(), "fee_fen": self._fee(row["amount"]["total"])}
            self._orders.keep_paid(row)
            self._book(row)
        shown = describe(row)
        self._notices.tell(row["mchid"], row["notify_url"], "TRANSACTION.SUCCESS", "transaction", shown)
        return shown

    def _take_money(self, user: str, fen: int) -> None:
        person = self._people.get(user)
        if person["balance_fen"] is None:
            return
        if person["balance_fen"] < fen:
            raise PhoneError(409, "not_enough", "余额不足")
        self._people.save({**person, "balance_fen": person["balance_fen"] - fen})

    def _fee(self, fen: int) -> int:
        return int((fen * Decimal(self._ground.settings.fee_rate)).quantize(Decimal(1), ROUND_HALF_UP))

    def _book(self, row: dict[str, Any]) -> None:
        numbers = {"business_no": row["transaction_id"], "voucher_no": row["out_trade_no"]}
        self._accounts.move(Movement(row["mchid"], "BASIC", "交易", row["amount"]["total"], **numbers))
        if row["fee_fen"]:
            self._accounts.move(Movement(row["mchid"], "BASIC", "扣除交易手续费", -row["fee_fen"], **numbers))
