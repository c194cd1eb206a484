"""Refunds: accepted at once, finished a little later, told by a notification."""

from __future__ import annotations

from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from flask import Response, g

from mock_wechat.entries import Merchant
from mock_wechat.errors import PayError, answer
from mock_wechat.ground import Ground
from mock_wechat.pay.accounts import Accounts, Movement
from mock_wechat.pay.models import AbnormalRefund, RefundOrder, check_notify_url, param_error, read
from mock_wechat.pay.notices import Notices
from mock_wechat.pay.orders import Orders
from mock_wechat.pay.outcomes import Outcomes
from mock_wechat.times import parse, rfc3339, rfc3339_ms

WINDOW = timedelta(days=365)
MOST_PARTS = 50


class Refunds:
    def __init__(
        self, ground: Ground, orders: Orders, accounts: Accounts, notices: Notices, outcomes: Outcomes
    ) -> None:
        self._ground, self._orders, self._accounts = ground, orders, accounts
        self._notices, self._outcomes = notices, outcomes
        self._refunds = ground.table("refund")
        self._open = {key for key, row in self._refunds.items() if row["status"] == "PROCESSING"}
        ground.sweepers.append(self._finish_due)
        base = "/v3/refund/domestic/refunds"
        ground.mount(
            "refunds",
            [
                ("POST", base, self.create),
                ("GET", f"{base}/<out_refund_no>", self.query),
                ("POST", f"{base}/<refund_id>/apply-abnormal-refund", self.apply_abnormal),
            ],
        )

    def create(self) -> Response:
        merchant: Merchant = g.merchant
        wanted = read(RefundOrder)
        if bool(wanted.transaction_id) == bool(wanted.out_trade_no):
            raise param_error("/out_trade_no", wanted.out_trade_no, "exactly one of transaction_id and out_trade_no")
        if wanted.notify_url:
            check_notify_url(wanted.notify_url, lenient=self._ground.settings.lenient_notify_url)
        key = f"{merchant.mchid}:{wanted.out_refund_no}"
        with self._ground.lock:
            row = self._refunds.get(key)
            if row is None:
                row = self._accept(merchant, wanted)
                self._refunds.put(key, row)
                self._open.add(key)
            elif row["wanted"] != wanted.model_dump(mode="json"):
                raise PayError(400, "INVALID_REQUEST", "订单金额或退款金额与之前请求不一致，请核实后再试")
        if not self._ground.settings.refund_takes_s and row["status"] == "PROCESSING":
            self._finish(key)
        return answer(describe(self._refunds[key]))

    def _accept(self, merchant: Merchant, wanted: RefundOrder) -> dict[str, Any]:
        order = self._orders.find_paid(merchant.mchid, wanted.transaction_id, wanted.out_trade_no)
        if order is None:
            raise PayError(404, "RESOURCE_NOT_EXISTS", "订单不存在")
        self._check_amounts(order, wanted)
        if self._accounts.available(merchant.mchid, "BASIC") < wanted.amount.refund:
            raise PayError(403, "NOT_ENOUGH", "基本账户余额不足，请充值后重新发起")
        now = self._ground.now()
        due = now + timedelta(seconds=self._ground.settings.refund_takes_s)
        row: dict[str, Any] = {"mchid": merchant.mchid, "out_refund_no": wanted.out_refund_no, "status": "PROCESSING"}
        row["refund_id"] = "50300" + now.strftime("%Y%m%d") + f"{self._ground.number('refund'):016d}"
        row |= {"transaction_id": order["transaction_id"], "out_trade_no": order["out_trade_no"]}
        row |= {"created": rfc3339_ms(now), "due": rfc3339_ms(due), "success_time": "", "reason": wanted.reason}
        row |= {"notify_url": wanted.notify_url, "wanted": wanted.model_dump(mode="json")}
        return {**row, "refund_fen": wanted.amount.refund, "total_fen": wanted.amount.total}

    def _check_amounts(self, order: dict[str, Any], wanted: RefundOrder) -> None:
        earlier = [r for r in self._of(order) if r["status"] not in ("CLOSED",)]
        if wanted.amount.total != order["amount"]["total"]:
            raise param_error("/amount/total", wanted.amount.total, "not the order's total", "订单金额不一致")
        if sum(r["refund_fen"] for r in earlier) + wanted.amount.refund > order["amount"]["total"]:
            raise PayError(400, "INVALID_REQUEST", "申请退款金额超过订单可退金额")
        now = self._ground.now()
        if now - parse(order["success_time"]) > WINDOW or len(earlier) >= MOST_PARTS:
            raise PayError(403, "RULE_LIMIT", "订单已超过可退款的最大期限或次数")
        gap = timedelta(seconds=self._ground.settings.refund_gap_s)
        if any(now - parse(r["created"]) < gap for r in earlier):
            raise PayError(429, "FREQUENCY_LIMITED", "同一订单的退款请求需间隔1分钟")

    def _of(self, order: dict[str, Any]) -> list[dict[str, Any]]:
        return [row for row in self._refunds.values() if row["transaction_id"] == order["transaction_id"]]

    def query(self, out_refund_no: str) -> Response:
        row = self._refunds.get(f"{g.merchant.mchid}:{out_refund_no}")
        if row is None:
            raise PayError(404, "RESOURCE_NOT_EXISTS", "退款单不存在")
        return answer(describe(row))

    def apply_abnormal(self, refund_id: str) -> Response:
        wanted = read(AbnormalRefund)
        key = f"{g.merchant.mchid}:{wanted.out_refund_no}"
        with self._ground.lock:
            row = self._refunds.get(key)
            if row is None or row["refund_id"] != refund_id:
                raise PayError(404, "RESOURCE_NOT_EXISTS", "退款单不存在")
            if row["status"] != "ABNORMAL":
                raise PayError(400, "INVALID_REQUEST", "退款单状态不是退款异常")
            self._refunds.put(key, {**row, "status": "PROCESSING"})
            self._open.add(key)
        return answer(describe(self._refunds[key]))

    def _finish_due(self) -> None:
        now = self._ground.now()
        for key in sorted(self._open):
            if parse(self._refunds[key]["due"]) <= now:
                self._finish(key)

    def _finish(self, key: str) -> None:
        with self._ground.lock:
            if key not in self._open:
                return
            self._open.discard(key)
            row = self._refunds[key]
            status = self._outcomes.take(row["out_refund_no"]).get("status", "SUCCESS")
            row = {**row, "status": status}
            if status == "SUCCESS":
                row |= {"success_time": rfc3339(self._ground.now()), "date": self._ground.book_date()}
                self._book(row)
            self._refunds.put(key, row)
        if row["status"] != "PROCESSING":
            told = describe_notice(row)
            self._notices.tell(row["mchid"], row["notify_url"], f"REFUND.{row['status']}", "refund", told)

    def _book(self, row: dict[str, Any]) -> None:
        order = self._orders.find_paid(row["mchid"], row["transaction_id"], "")
        if order is None:
            raise LookupError(row["transaction_id"])
        self._orders.mark_refunded(order)
        share = Decimal(row["refund_fen"]) / order["amount"]["total"]
        row["fee_fen"] = int((order["fee_fen"] * share).quantize(Decimal(1), ROUND_HALF_UP))
        numbers = {"business_no": row["refund_id"], "voucher_no": row["out_refund_no"]}
        self._accounts.move(Movement(row["mchid"], "BASIC", "退款", -row["refund_fen"], **numbers))
        if row["fee_fen"]:
            self._accounts.move(Movement(row["mchid"], "BASIC", "退还交易手续费", row["fee_fen"], **numbers))

    def refunded_on(self, mchid: str, date: str) -> list[dict[str, Any]]:
        return [row for row in self._refunds.values() if row["mchid"] == mchid and row.get("date") == date]


def describe(row: dict[str, Any]) -> dict[str, Any]:
    """A refund as the API shows it."""
    fen, total = row["refund_fen"], row["total_fen"]
    amount = {"total": total, "refund": fen, "payer_total": total, "payer_refund": fen, "settlement_total": total}
    amount |= {"settlement_refund": fen, "discount_refund": 0, "currency": "CNY"}
    body = {name: row[name] for name in ("refund_id", "out_refund_no", "transaction_id", "out_trade_no")}
    body |= {"channel": "ORIGINAL", "user_received_account": "支付用户零钱"}
    if row["success_time"]:
        body["success_time"] = row["success_time"]
    body |= {"create_time": rfc3339(parse(row["created"])), "status": row["status"], "funds_account": "AVAILABLE"}
    return {**body, "amount": amount, "promotion_detail": []}


def describe_notice(row: dict[str, Any]) -> dict[str, Any]:
    """A refund as its notification shows it: `refund_status` in place of `status`."""
    fen, total = row["refund_fen"], row["total_fen"]
    body = {name: row[name] for name in ("mchid", "out_trade_no", "transaction_id", "out_refund_no", "refund_id")}
    body["refund_status"] = row["status"]
    if row["success_time"]:
        body["success_time"] = row["success_time"]
    amount = {"total": total, "refund": fen, "payer_total": total, "payer_refund": fen}
    return {**body, "amount": amount, "user_received_account": "支付用户零钱"}
