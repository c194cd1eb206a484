"""Bills: asked for by date, downloaded with a token that lives five minutes, not signed but hashed."""

from __future__ import annotations

import gzip
import hashlib
import secrets
from datetime import date, datetime, time, timedelta

from flask import Response, g, request

from mock_wechat.errors import PayError, answer
from mock_wechat.ground import Ground
from mock_wechat.pay.accounts import ACCOUNTS, Accounts
from mock_wechat.pay.bill_files import fund_flow_file, trade_file
from mock_wechat.pay.models import param_error
from mock_wechat.pay.orders import Orders
from mock_wechat.pay.refunds import Refunds
from mock_wechat.times import SHANGHAI, shanghai_date

LIFE_S = 300
READY_AT = time(10, 0)
OLDEST = timedelta(days=92)
BILL_TYPES = ("ALL", "SUCCESS", "REFUND")


class Bills:
    def __init__(self, ground: Ground, orders: Orders, refunds: Refunds, accounts: Accounts) -> None:
        self._ground, self._orders, self._refunds, self._accounts = ground, orders, refunds, accounts
        self._files = ground.table("bill_file")
        ground.mount(
            "bills",
            [
                ("GET", "/v3/bill/tradebill", self.trade),
                ("GET", "/v3/bill/fundflowbill", self.fund_flow),
                ("GET", "/v3/billdownload/file", self.download),
            ],
        )

    def trade(self) -> Response:
        day = self._day()
        kind = request.args.get("bill_type", "ALL")
        if kind not in BILL_TYPES:
            raise param_error("bill_type", kind, "unknown bill_type")
        orders = self._orders.paid_on(g.merchant.mchid, day) if kind != "REFUND" else []
        refunds = self._refunds.refunded_on(g.merchant.mchid, day) if kind != "SUCCESS" else []
        if not orders and not refunds:
            raise PayError(400, "NO_STATEMENT_EXIST", "账单文件不存在")
        rate = self._ground.settings.fee_rate
        originals = {r["transaction_id"]: self._order_of(r["transaction_id"]) for r in refunds}
        return self._offer(trade_file(orders, refunds, originals, rate))

    def _order_of(self, transaction_id: str) -> dict[str, object]:
        return self._orders.find_paid(g.merchant.mchid, transaction_id, "") or {}

    def fund_flow(self) -> Response:
        day = self._day()
        account = request.args.get("account_type", "BASIC")
        if account not in ACCOUNTS:
            raise param_error("account_type", account, "unknown account_type")
        entries = self._accounts.entries(g.merchant.mchid, account, day)
        if not entries:
            raise PayError(400, "NO_STATEMENT_EXIST", "账单文件不存在")
        return self._offer(fund_flow_file(entries))

    def _day(self) -> str:
        """The day asked for: past, not too old, and, unless told otherwise, not before 10:00 of the day after."""
        text = request.args.get("bill_date", "")
        try:
            day = date.fromisoformat(text)
        except ValueError:
            raise param_error("bill_date", text, "not a date") from None
        now = self._ground.now()
        if self._ground.settings.bills_wait:
            today = shanghai_date(now)
            if day >= today or today - day > OLDEST:
                raise param_error("bill_date", text, "only days of the last three months", "账单日期不合法")
            if now < datetime.combine(day + timedelta(days=1), READY_AT, SHANGHAI):
                raise PayError(400, "STATEMENT_CREATING", "账单生成中，请稍后再试")
        return day.isoformat()

    def _offer(self, text: str) -> Response:
        plain = (("\ufeff" if self._ground.settings.bill_starts_with_bom else "") + text).encode()
        packed = request.args.get("tar_type") == "GZIP"
        stored = gzip.compress(plain, mtime=0) if packed else plain
        hashed = stored if self._ground.settings.bill_hash_over == "compressed" else plain
        token = secrets.token_urlsafe(48)
        expires = self._ground.epoch() + LIFE_S
        self._files.put(token, {"mchid": g.merchant.mchid, "expires": expires, "hex": stored.hex()})
        url = f"{request.host_url}v3/billdownload/file?token={token}"
        return answer(
            {
                "hash_type": "SHA1",
                "hash_value": hashlib.sha1(hashed, usedforsecurity=False).hexdigest(),
                "download_url": url,
            }
        )

    def download(self) -> Response:
        row = self._files.get(request.args.get("token", ""))
        if row is None or row["expires"] <= self._ground.epoch():
            raise PayError(400, "INVALID_REQUEST", "账单下载链接已失效")
        if row["mchid"] != g.merchant.mchid:
            raise PayError(403, "NO_AUTH", "商户无权下载该账单")
        return Response(bytes.fromhex(row["hex"]), mimetype="application/octet-stream")
