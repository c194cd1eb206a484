"""JSAPI orders, the merchant's side: created, queried, closed."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from flask import Response, g, request

from mock_wechat.account.people import People
from mock_wechat.entries import Merchant
from mock_wechat.errors import PayError, answer
from mock_wechat.ground import Ground
from mock_wechat.pay.models import CloseOrder, JsapiOrder, check_notify_url, param_error, read
from mock_wechat.times import parse, rfc3339

PREPAY_LIFE_S = 2 * 3600
ORDER_LIFE = timedelta(days=7)
STATES = {"SUCCESS": "支付成功", "REFUND": "转入退款", "NOTPAY": "订单未支付", "CLOSED": "订单已关闭"}


class Orders:
    def __init__(self, ground: Ground, people: People) -> None:
        self._ground, self._people = ground, people
        self._orders = ground.table("order")
        self._prepays = ground.table("prepay")
        self._by_transaction = {r["transaction_id"]: key for key, r in self._orders.items() if r["transaction_id"]}
        base = "/v3/pay/transactions"
        ground.mount(
            "orders",
            [
                ("POST", f"{base}/jsapi", self.create),
                ("GET", f"{base}/out-trade-no/<out_trade_no>", self.query),
                ("GET", f"{base}/id/<transaction_id>", self.query_by_transaction),
                ("POST", f"{base}/out-trade-no/<out_trade_no>/close", self.close),
            ],
        )

    def create(self) -> Response:
        merchant: Merchant = g.merchant
        order = read(JsapiOrder)
        self._check(merchant, order)
        wanted = order.model_dump(mode="json", exclude_none=True)
        key = f"{merchant.mchid}:{order.out_trade_no}"
        with self._ground.lock:
            row = self._orders.get(key)
            if row is None:
                now = rfc3339(self._ground.now())
                row = {**wanted, "state": "NOTPAY", "created": now, "transaction_id": "", "wanted": wanted}
                self._orders.put(key, row)
            elif row["wanted"] != wanted:
                raise PayError(403, "OUT_TRADE_NO_USED", "商户订单号重复")
            self._refuse_finished(self._aged(row))
            prepay_id = "wx" + self._ground.now().strftime("%d%H%M%S") + secrets.token_hex(13)
            self._prepays.put(prepay_id, {"key": key, "expires": self._ground.epoch() + PREPAY_LIFE_S})
        return answer({"prepay_id": prepay_id})

    def _check(self, merchant: Merchant, order: JsapiOrder) -> None:
        if order.mchid != merchant.mchid:
            raise PayError(403, "NO_AUTH", "商户号与签名的商户不一致")
        if order.appid not in merchant.app_ids or order.appid not in self._ground.apps:
            raise PayError(400, "APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配")
        if self._people.find(order.appid, order.payer.openid) is None:
            raise param_error("/payer/openid", order.payer.openid, "openid does not belong to appid", "无效的openid")
        check_notify_url(order.notify_url, lenient=self._ground.settings.lenient_notify_url)

    @staticmethod
    def _refuse_finished(row: dict[str, Any]) -> None:
        if row["state"] == "CLOSED":
            raise PayError(400, "ORDER_CLOSED", "该订单已关闭")
        if row["state"] != "NOTPAY":
            raise PayError(400, "INVALID_REQUEST", "该订单已支付")

    def _aged(self, row: dict[str, Any]) -> dict[str, Any]:
        """The order after what time alone did to it: past its end it is closed."""
        key = f"{row['mchid']}:{row['out_trade_no']}"
        end = parse(row["time_expire"]) if row.get("time_expire") else parse(row["created"]) + ORDER_LIFE
        with self._ground.lock:
            row = self._orders[key]
            if row["state"] == "NOTPAY" and self._ground.now() >= end:
                row = {**row, "state": "CLOSED"}
                self._orders.put(key, row)
            return row

    def query(self, out_trade_no: str) -> Response:
        return self._show(f"{g.merchant.mchid}:{out_trade_no}")

    def query_by_transaction(self, transaction_id: str) -> Response:
        return self._show(self._by_transaction.get(transaction_id, ""))

    def _show(self, key: str) -> Response:
        if request.args.get("mchid") != g.merchant.mchid:
            raise PayError(400, "PARAM_ERROR", "mchid 缺失或与签名的商户不一致")
        row = self._orders.get(key)
        if row is None or row["mchid"] != g.merchant.mchid:
            raise PayError(404, "ORDER_NOT_EXIST", "订单不存在")
        return answer(describe(self._aged(row)))

    def close(self, out_trade_no: str) -> Response:
        if read(CloseOrder).mchid != g.merchant.mchid:
            raise PayError(403, "NO_AUTH", "商户号与签名的商户不一致")
        with self._ground.lock:
            key = f"{g.merchant.mchid}:{out_trade_no}"
            if key not in self._orders:
                raise PayError(404, "ORDER_NOT_EXIST", "订单不存在")
            row = self._orders[key]
            if row["state"] not in ("NOTPAY", "CLOSED"):
                raise PayError(400, "INVALID_REQUEST", "该订单已支付")
            self._orders.put(key, {**row, "state": "CLOSED"})
        return Response("", 204)

    def find_paid(self, mchid: str, transaction_id: str, out_trade_no: str) -> dict[str, Any] | None:
        """A merchant's paid order by either number."""
        key = self._by_transaction.get(transaction_id, "") if transaction_id else f"{mchid}:{out_trade_no}"
        row = self._orders.get(key)
        return row if row and row["mchid"] == mchid and row["transaction_id"] else None

    def mark_refunded(self, row: dict[str, Any]) -> None:
        self._orders.put(f"{row['mchid']}:{row['out_trade_no']}", {**row, "state": "REFUND"})

    def behind(self, prepay_id: str) -> dict[str, Any] | None:
        """The order as it stands now; None for an unknown or old prepay_id."""
        prepay = self._prepays.get(prepay_id)
        if prepay is None or prepay["expires"] <= self._ground.epoch():
            return None
        return self._aged(self._orders[prepay["key"]])

    def waiting(self) -> list[dict[str, Any]]:
        """The orders that can be paid now, each with its newest `prepay_id`."""
        alive = {row["key"]: number for number, row in self._prepays.items() if row["expires"] > self._ground.epoch()}
        orders = ({**self._orders[key], "prepay_id": number} for key, number in alive.items())
        return [row for row in orders if row["state"] == "NOTPAY"]

    def keep_paid(self, row: dict[str, Any]) -> None:
        key = f"{row['mchid']}:{row['out_trade_no']}"
        self._orders.put(key, row)
        self._by_transaction[row["transaction_id"]] = key

    def paid_on(self, mchid: str, date: str) -> list[dict[str, Any]]:
        return [row for row in self._orders.values() if row["mchid"] == mchid and row.get("date") == date]


def describe(row: dict[str, Any]) -> dict[str, Any]:
    """An order as the query and the notification show it."""
    body = {"appid": row["appid"], "mchid": row["mchid"], "out_trade_no": row["out_trade_no"]}
    body |= {"trade_state": row["state"], "trade_state_desc": STATES[row["state"]], "attach": row["attach"]}
    body["payer"] = row["payer"]
    total = {"total": row["amount"]["total"], "currency": "CNY"}
    if not row["transaction_id"]:
        return {**body, "amount": total, "promotion_detail": []}
    paid = {"transaction_id": row["transaction_id"], "trade_type": "JSAPI", "bank_type": "OTHERS"}
    amount = {**total, "payer_total": total["total"], "payer_currency": "CNY"}
    return {**body, **paid, "success_time": row["success_time"], "amount": amount, "promotion_detail": []}
