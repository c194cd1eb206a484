"""The phone over HTTP, the money half: the cashier, and the page on which a transfer is confirmed."""

from __future__ import annotations

from typing import Any

from flask import Response

from mock_wechat.account.custom import CustomMessages
from mock_wechat.account.inbox import Inbox
from mock_wechat.account.people import People
from mock_wechat.errors import PhoneError, answer
from mock_wechat.ground import Ground
from mock_wechat.pay.cashier import Cashier
from mock_wechat.pay.signature import lines, verify
from mock_wechat.pay.transfer_book import TransferBook
from mock_wechat.pay.transfers import describe
from mock_wechat.phone.forms import form

SIGNED = ("appId", "timeStamp", "nonceStr", "package")


class WalletRoutes:
    def __init__(
        self, ground: Ground, people: People, cashier: Cashier, book: TransferBook, custom: CustomMessages, inbox: Inbox
    ) -> None:
        self._ground, self._people, self._cashier, self._book = ground, people, cashier, book
        self._custom, self._inbox = custom, inbox
        ground.mount(
            "wallet",
            [
                ("POST", "/__mock__/phone/pay", self.pay),
                ("POST", "/__mock__/phone/cancel", self.cancel),
                ("POST", "/__mock__/phone/confirm_transfer", self.confirm_transfer),
                ("POST", "/__mock__/phone/transfers", self.transfers),
            ],
        )

    def pay(self) -> Response:
        """Pay a `prepay_id`, or the parameters `params` of wx.requestPayment, whose signature is then checked."""
        body = form("user")
        user, prepay_id = self._people.get(body["user"])["user"], self._prepay(body)
        paid = self._cashier.pay(user, prepay_id)
        app = self._ground.apps[paid["appid"]]
        self._custom.allow(app, user, "payment")
        told = {"transaction_id": paid["transaction_id"], "amount_fen": paid["amount"]["total"]}
        self._inbox.add(user, app.app_id, "pay", told)
        return answer({"errMsg": "requestPayment:ok", **told})

    def cancel(self) -> Response:
        """Leave the cashier without paying: the order stays as it is."""
        body = form("user")
        self._cashier.payable(self._people.get(body["user"])["user"], self._prepay(body))
        return answer({"errMsg": "requestPayment:fail cancel"})

    def _prepay(self, body: dict[str, Any]) -> str:
        if "params" not in body:
            return str(body.get("prepay_id", ""))
        params = body["params"]
        prepay_id = str(params.get("package", "")).removeprefix("prepay_id=")
        order = self._cashier.payable(body["user"], prepay_id)
        app_id = params.get("appId") or order["appid"]
        text = lines(app_id, *(str(params.get(name, "")) for name in SIGNED[1:]))
        merchant = self._ground.merchants[order["mchid"]]
        signed = params.get("signType") == "RSA" and verify(merchant.merchant_key, text, str(params.get("paySign", "")))
        if not signed or app_id != order["appid"]:
            raise PhoneError(409, "sign_error", "支付验证签名失败")
        return prepay_id

    def confirm_transfer(self) -> Response:
        """Take a transfer, by its `package_info` (as wx.requestMerchantTransfer does) or its `out_bill_no`."""
        body = form("user")
        user = self._people.get(body["user"])["user"]
        row = self._book.confirmable(
            user, out_bill_no=body.get("out_bill_no", ""), package_info=body.get("package_info", "")
        )
        row = self._book.confirm(row)
        return answer({"errMsg": "requestMerchantTransfer:ok", **describe(row)})

    def transfers(self) -> Response:
        """Every transfer to a user, the newest last."""
        user = self._people.get(form("user")["user"])
        mine = set(user["openids"].items())
        rows = [r for r in self._book.all() if (r["wanted"]["appid"], r["wanted"]["openid"]) in mine]
        return answer([{**describe(row), "package_info": row["package_info"]} for row in rows])
