from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from wechatpayv3 import WeChatPay

from mock_wechat.pay.signature import lines, sign
from mock_wechat.server import WeChat
from tests.mock_wechat.kit import Api

QUERY = "/v3/pay/transactions/out-trade-no/NONE0001?mchid={mchid}"
HEAD = {"Accept": "application/json", "User-Agent": "test"}


def authorization(merchant: dict[str, Any], text: bytes, stamp: str, nonce: str = "n1", **replace: str) -> str:
    key = load_pem_private_key(merchant["private_key_pem"].encode(), None)
    signature = sign(key, text)  # type: ignore[arg-type]
    values = {"mchid": merchant["mchid"], "nonce_str": nonce, "signature": signature, "timestamp": stamp}
    values |= {"serial_no": merchant["serial_no"], **replace}
    return "WECHATPAY2-SHA256-RSA2048 " + ",".join(f'{name}="{value}"' for name, value in values.items())


def call(api: Api, merchant: dict[str, Any], stamp: float | None = None, **more: Any) -> httpx.Response:
    path = QUERY.format(mchid=merchant["mchid"])
    at = str(int(stamp or time.time()))
    text = lines("GET", path, at, more.get("nonce", "n1"), "")
    return api.raw("GET", path, headers={**HEAD, "Authorization": authorization(merchant, text, at, **more)})


def said(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["message"]


def test_without_authorization_the_two_families_say_different_things(api: Api) -> None:
    orders = api.raw("GET", "/v3/pay/transactions/out-trade-no/X?mchid=1", headers=HEAD)
    assert said(orders) == (401, "签名信息错误，验签失败")
    assert "Request-ID" not in orders.headers
    others = api.raw("GET", "/v3/refund/domestic/refunds/R1", headers=HEAD)
    assert said(others)[1].startswith("Http头Authorization值格式错误")
    assert "Request-ID" in others.headers


def test_a_good_signature_passes_once(api: Api, merchant: dict[str, Any]) -> None:
    assert said(call(api, merchant)) == (404, "订单不存在")
    assert said(call(api, merchant)) == (401, "签名错误")
    assert said(call(api, merchant, nonce="n2")) == (404, "订单不存在")


@pytest.mark.parametrize("skew_s", [-302, 302])
def test_time_is_checked_before_the_signature(api: Api, merchant: dict[str, Any], skew_s: int) -> None:
    answer = call(api, merchant, time.time() + skew_s, signature="AAAA")
    assert said(answer)[1].startswith("Http头Authorization中的timestamp")


@pytest.mark.parametrize(
    ("replace", "message"),
    [
        ({"signature": "AAAA"}, "签名错误"),
        ({"signature": "not base64!"}, "签名错误"),
        ({"serial_no": "0" * 40}, "商户证书序列号有误。请使用签名私钥匹配的证书序列号"),
        ({"timestamp": "soon"}, "签名信息错误，验签失败"),
    ],
)
def test_what_is_wrong_is_told(api: Api, merchant: dict[str, Any], replace: dict[str, Any], message: str) -> None:
    assert said(call(api, merchant, **replace)) == (401, message)


def test_the_body_is_part_of_the_signature(pay: WeChatPay, api: Api, merchant: dict[str, Any]) -> None:
    at = str(int(time.time()))
    text = lines("POST", "/v3/refund/domestic/refunds", at, "n1", '{"a":1}')
    headers = {**HEAD, "Authorization": authorization(merchant, text, at)}
    answer = api.raw("POST", "/v3/refund/domestic/refunds", headers=headers, content=b'{"a":2}')
    assert said(answer) == (401, "签名错误")


def test_no_user_agent(api: Api) -> None:
    answer = api.raw("GET", "/v3/certificates", headers={"User-Agent": "", "Accept": "application/json"})
    assert said(answer) == (400, "Http头缺少Accept或User-Agent")


def test_unknown_paths_and_methods_are_empty(api: Api) -> None:
    missing = api.raw("GET", "/v3/no/such/thing", headers=HEAD)
    wrong = api.raw("DELETE", "/v3/certificates", headers=HEAD)
    assert (missing.status_code, missing.content) == (404, b"")
    assert (wrong.status_code, wrong.content) == (405, b"")


def test_errors_are_not_signed(api: Api, merchant: dict[str, Any]) -> None:
    assert not [name for name in call(api, merchant).headers if name.startswith("wechatpay")]


@pytest.mark.parametrize("signature", ["wrong", "signtest"])
def test_a_spoiled_answer_fails_verification_once(
    wechat: WeChat, pay: WeChatPay, user: dict[str, Any], oa: dict[str, Any], api: Api, signature: str
) -> None:
    api.post("/__mock__/answer_faults", {"path": "/jsapi", "signature": signature})
    order = {"description": "x", "out_trade_no": "ORDER001", "amount": {"total": 1}}
    order["payer"] = {"openid": user["openids"][oa["app_id"]]}
    with pytest.raises(Exception, match="verify"):
        pay.pay(**order)
    assert json.loads(pay.pay(**order)[1])["prepay_id"]
