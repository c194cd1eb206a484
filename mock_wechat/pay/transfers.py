"""Merchant transfers in user-confirm mode (商家转账): the merchant's side.

Source: WeChat Pay merchant documentation, /v3/fund-app/mch-transfer/transfer-bills. A transfer waits for its payee to
confirm it; after 24 hours it fails with OVERDUE_CLOSE. The number is the idempotency key: the same number with the
same content is the same transfer.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Response, g, request

from mock_wechat.account.people import People
from mock_wechat.entries import Merchant
from mock_wechat.errors import PayError, answer
from mock_wechat.ground import Ground
from mock_wechat.pay.models import TransferBill, check_notify_url, param_error, read
from mock_wechat.pay.scenes import check_scene
from mock_wechat.pay.signature import open_field, seal_field
from mock_wechat.pay.transfer_book import TransferBook
from mock_wechat.times import parse

NAME_FORBIDDEN_BELOW_FEN = 30
NAME_DEMANDED_FROM_FEN = 200_000
QUERY_WINDOW = timedelta(days=30)
NOT_SEALED = "请确认待处理的消息是否为加密后的密文"


class Transfers:
    def __init__(self, ground: Ground, people: People, book: TransferBook) -> None:
        self._ground, self._people, self._book = ground, people, book
        base = "/v3/fund-app/mch-transfer/transfer-bills"
        ground.mount(
            "transfers",
            [
                ("POST", base, self.create),
                ("GET", f"{base}/out-bill-no/<out_bill_no>", self.query),
                ("GET", f"{base}/transfer-bill-no/<transfer_bill_no>", self.query_by_number),
                ("POST", f"{base}/out-bill-no/<out_bill_no>/cancel", self.cancel),
            ],
        )

    def create(self) -> Response:
        merchant: Merchant = g.merchant
        bill = read(TransferBill)
        wanted = bill.model_dump(mode="json", exclude_none=True)
        wanted["user_name"] = self._open_name(merchant, bill)
        with self._ground.lock:
            row = self._book.get(merchant.mchid, bill.out_bill_no)
            if row is not None and row["wanted"] != wanted:
                raise PayError(400, self._ground.settings.transfer_conflict_code, "商户单号已存在但信息不一致")
            first = row is None
            if row is None:
                self._check(merchant, bill)
                row = self._book.open(merchant.mchid, wanted)
        row = self._book.advance(row)
        return answer(self._created(row, first))

    def _created(self, row: dict[str, Any], first: bool) -> dict[str, Any]:
        names = ("out_bill_no", "transfer_bill_no", "create_time", "state")
        body = {name: row[name] for name in names}
        if row["state"] == "WAIT_USER_CONFIRM" and (first or self._ground.settings.repost_returns_package_info):
            body["package_info"] = row["package_info"]
        if row["fail_reason"]:
            body["fail_reason"] = row["fail_reason"]
        return body

    def _check(self, merchant: Merchant, bill: TransferBill) -> None:
        if merchant.ip_whitelist and request.remote_addr not in merchant.ip_whitelist:
            raise PayError(400, "INVALID_REQUEST", "此IP地址不允许调用该接口")
        if bill.appid not in merchant.app_ids or bill.appid not in self._ground.apps:
            raise PayError(400, "INVALID_REQUEST", "商户号与appid不匹配，请检查绑定关系")
        if self._people.find(bill.appid, bill.openid) is None:
            raise param_error("/openid", bill.openid, "openid does not belong to appid", "openid与appid不匹配")
        if bill.notify_url:
            check_notify_url(bill.notify_url, lenient=self._ground.settings.lenient_notify_url)
        check_scene(self._ground, bill)
        self._check_limits(merchant, bill)

    def _check_limits(self, merchant: Merchant, bill: TransferBill) -> None:
        settings, fen = self._ground.settings, bill.transfer_amount
        if settings.transfer_max_fen and fen > settings.transfer_max_fen:
            raise PayError(400, "INVALID_REQUEST", "转账金额超过单笔限额")
        most_fen = settings.transfer_day_max_fen
        if most_fen and self._book.payee_day_fen(merchant.mchid, bill.openid) + fen > most_fen:
            raise PayError(400, "INVALID_REQUEST", "超过用户单日收款限额")
        if settings.short_balance == "NOT_ENOUGH" and self._book.short(merchant.mchid, fen):
            raise PayError(403, "NOT_ENOUGH", "资金不足，请充值后使用原单号重试")

    def _open_name(self, merchant: Merchant, bill: TransferBill) -> str:
        """The payee's name in clear, "" if none was sent; whether one may or must be sent hangs on the amount."""
        fen = bill.transfer_amount
        if bill.user_name is None:
            if fen >= NAME_DEMANDED_FROM_FEN:
                raise param_error(
                    "/user_name", "", "required from 2000 yuan", "转账金额大于等于2000元，收款用户姓名必填"
                )
            return ""
        if fen < NAME_FORBIDDEN_BELOW_FEN:
            raise param_error(
                "/user_name", "", "forbidden below 0.30 yuan", "转账金额小于0.3元，不支持传入收款用户姓名"
            )
        if request.headers.get("Wechatpay-Serial") != merchant.wechat_public_key_id:
            raise PayError(400, "PARAM_ERROR", "请求头Wechatpay-Serial与加密敏感字段的公钥不一致")
        try:
            return open_field(merchant.wechat_key, bill.user_name)
        except ValueError:
            raise param_error("/user_name", "", "not sealed for this key", NOT_SEALED) from None

    def query(self, out_bill_no: str) -> Response:
        return self._show(self._book.get(g.merchant.mchid, out_bill_no))

    def query_by_number(self, transfer_bill_no: str) -> Response:
        return self._show(self._book.by_number(g.merchant.mchid, transfer_bill_no))

    def _show(self, row: dict[str, Any] | None) -> Response:
        if row is None or self._ground.now() - parse(row["create_time"]) > QUERY_WINDOW:
            raise PayError(404, self._ground.settings.transfer_unknown_code, "转账单不存在")
        row = self._book.advance(row, retry=False)
        body = describe(row)
        if row["wanted"]["user_name"]:
            merchant: Merchant = g.merchant
            body["user_name"] = seal_field(merchant.merchant_key, row["wanted"]["user_name"])
        return answer(body)

    def cancel(self, out_bill_no: str) -> Response:
        row = self._book.get(g.merchant.mchid, out_bill_no)
        if row is None:
            raise PayError(404, self._ground.settings.transfer_unknown_code, "转账单不存在")
        row = self._book.cancel(row)
        return answer({name: row[name] for name in ("out_bill_no", "transfer_bill_no", "state", "update_time")})


def describe(row: dict[str, Any]) -> dict[str, Any]:
    """A transfer as the query shows it (`mch_id`, with an underscore, here and in the notification alone)."""
    wanted = row["wanted"]
    body = {"mch_id": row["mchid"], "out_bill_no": row["out_bill_no"], "transfer_bill_no": row["transfer_bill_no"]}
    body |= {"appid": wanted["appid"], "state": row["state"], "transfer_amount": wanted["transfer_amount"]}
    body |= {"transfer_remark": wanted["transfer_remark"], "openid": wanted["openid"]}
    if row["fail_reason"]:
        body["fail_reason"] = row["fail_reason"]
    return {**body, "create_time": row["create_time"], "update_time": row["update_time"]}
