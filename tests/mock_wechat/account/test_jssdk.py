from __future__ import annotations

from typing import Any

from mock_wechat.account.jssdk import page_signature
from mock_wechat.server import WeChat
from tests.mock_wechat.kit import Api, account_client


def test_the_published_vector() -> None:
    config = {"nonceStr": "N", "timestamp": "1700000000", "url": "https://h5.example.com/claim?id=1#top"}
    assert page_signature("T", config) == "32c6a5310a409454a9b970adf97697b1025e9467"


def test_what_wechatpy_signs_is_accepted(wechat: WeChat, oa: dict[str, Any]) -> None:
    client = account_client(wechat, oa)
    ticket = client.jsapi.get_jsapi_ticket()
    signature = client.jsapi.get_jsapi_signature("N", ticket, 1700000000, "https://h5.example.com/")
    config = {"nonceStr": "N", "timestamp": "1700000000", "url": "https://h5.example.com/", "signature": signature}
    assert wechat.jssdk.accepts(oa["app_id"], config)
    assert not wechat.jssdk.accepts(oa["app_id"], {**config, "nonceStr": "M"})


def test_the_ticket_is_shared_until_it_ends(api: Api, wechat: WeChat, oa: dict[str, Any]) -> None:
    def ticket() -> str:
        return str(api.get("/cgi-bin/ticket/getticket", access_token=api.token(oa), type="jsapi")["ticket"])

    first = ticket()
    assert ticket() == first
    wechat.clock.advance(7201)
    assert ticket() != first
