from __future__ import annotations

from typing import Any

from wechatpayv3 import WeChatPay, WeChatPayType
from wechatpayv3.core import Core

from mock_wechat.server import WeChat
from tests.mock_wechat.kit import Receiver, code_of, text_of


def test_a_merchant_with_a_public_key_has_no_certificate(pay: WeChatPay) -> None:
    assert code_of(pay._core.request("/v3/certificates")) == (404, "RESOURCE_NOT_EXISTS")


def test_a_client_in_certificate_mode_finds_the_certificate_and_verifies_with_it(
    wechat: WeChat, pay: WeChatPay, merchant: dict[str, Any], user: dict[str, Any], oa: dict[str, Any]
) -> None:
    wechat.settings.platform_certificates = True
    core: Core = pay._core
    core._public_key = core._public_key_id = None
    core._init_certificates()
    (certificate,) = core._certificates
    assert merchant["mchid"] in certificate.subject.rfc4514_string()
    payer = {"openid": user["openids"][oa["app_id"]]}
    order = pay.pay("x", "ORDER001", {"total": 1}, payer, pay_type=WeChatPayType.JSAPI)
    assert order[0] == 200


def test_while_keys_change_notifications_come_signed_with_either(
    wechat: WeChat,
    pay: WeChatPay,
    merchant: dict[str, Any],
    user: dict[str, Any],
    oa: dict[str, Any],
    receiver: Receiver,
) -> None:
    wechat.settings.platform_certificates, wechat.settings.notices_signed_by = True, "either"
    payer = {"openid": user["openids"][oa["app_id"]]}
    order = text_of(pay.pay("x", "ORDER001", {"total": 1}, payer))
    receiver.answers = [(500, "")]
    wechat.cashier.pay("zhang", order["prepay_id"])
    pay._core._update_certificates()
    got = receiver.wait(2)
    assert len({headers["Wechatpay-Serial"] for _, headers, _ in got}) == 2
    assert all(pay.callback(headers, body)["event_type"] == "TRANSACTION.SUCCESS" for _, headers, body in got)
