"""What the tests of the WeChat double share: clients that point at it, and a receiver of what it pushes."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import datetime, time, timedelta
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlsplit

import httpx
import requests
from flask import Response
from flask import request as came
from requests.adapters import HTTPAdapter
from wechatpayv3 import WeChatPay, WeChatPayType
from wechatpy import WeChatClient, WeChatOAuth

from mock_partners.double import Double
from mock_wechat.pusher import tls
from mock_wechat.server import WeChat
from mock_wechat.times import SHANGHAI


def begin_day(wechat: WeChat) -> None:
    """To the first second of Shanghai's next day: what counts by the day sees none end in the test."""
    now = wechat.clock.now().astimezone(SHANGHAI)
    wechat.clock.advance((datetime.combine(now.date() + timedelta(days=1), time.min, SHANGHAI) - now).total_seconds())


class Rewrite(HTTPAdapter):
    """Sends what is meant for a WeChat host to the double."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._host = urlsplit(url)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        parts = urlsplit(str(request.url))
        request.url = parts._replace(scheme=self._host.scheme, netloc=self._host.netloc).geturl()
        return super().send(request, *args, **kwargs)


class Receiver(Double):
    """A server that WeChat pushes to: keeps what came, answers what it is told to."""

    def __init__(self) -> None:
        super().__init__("receiver")
        self.got: list[tuple[dict[str, str], dict[str, str], bytes]] = []
        self.answers: list[tuple[int, str]] = []
        self.on_post: Callable[[], Response | None] | None = None
        self.app.add_url_rule("/<path:path>", "take", self.take, methods=["POST"])

    def take(self, path: str) -> Response:
        self.got.append((dict(came.args), dict(came.headers), came.get_data()))
        if self.on_post:
            made = self.on_post()
            if made is not None:
                return made
        status, text = self.answers.pop(0) if self.answers else (200, "")
        return Response(text, status)

    def wait(self, count: int = 1, within_s: float = 60) -> list[tuple[dict[str, str], dict[str, str], bytes]]:
        until(lambda: len(self.got) >= count, within_s)
        return self.got


def until(true: Callable[[], Any], within_s: float = 60) -> Any:
    end = monotonic() + within_s
    while monotonic() < end:
        value = true()
        if value:
            return value
        sleep(0.01)
    raise AssertionError("did not come true in time")


MADE: dict[str, WeChatPay] = {}


def pay_client(wechat: WeChat, merchant: dict[str, Any], *, notify_url: str = "http://127.0.0.1:9/none") -> WeChatPay:
    """A client of its own on keys that are read once: reading a private key takes 0.1 s."""
    made = MADE.get(merchant["mchid"]) or MADE.setdefault(merchant["mchid"], _make(merchant))
    client = copy.copy(made)
    client._core = copy.copy(made._core)
    client._core._certificates = []
    client._core._gate_way, client._notify_url = wechat.url, notify_url
    return client


def _make(merchant: dict[str, Any]) -> WeChatPay:
    return WeChatPay(
        wechatpay_type=WeChatPayType.JSAPI,
        mchid=merchant["mchid"],
        private_key=merchant["private_key_pem"],
        cert_serial_no=merchant["serial_no"],
        appid=merchant["app_ids"][0],
        apiv3_key=merchant["apiv3_key"],
        public_key=merchant["wechat_public_key_pem"],
        public_key_id=merchant["wechat_public_key_id"],
        timeout=(5, 5),
    )


def account_client(wechat: WeChat, app: dict[str, Any]) -> WeChatClient:
    client = WeChatClient(app["app_id"], app["secret"], auto_retry=False, timeout=5)
    client._http.mount("https://api.weixin.qq.com/", Rewrite(wechat.url))
    return client


def oauth_client(wechat: WeChat, app: dict[str, Any], redirect_uri: str, scope: str = "snsapi_base") -> WeChatOAuth:
    client = WeChatOAuth(app["app_id"], app["secret"], redirect_uri, scope=scope, state="s1")
    client._http.mount("https://api.weixin.qq.com/", Rewrite(wechat.url))
    return client


class Api:
    """The double over plain HTTP, errors included."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=10, verify=tls())

    def get(self, path: str, **params: Any) -> Any:
        return self._http.get(path, params=params).json()

    def post(self, path: str, body: Any, **params: Any) -> Any:
        return self._http.post(path, params=params, json=body).json()

    def phone(self, act: str, **body: Any) -> Any:
        return self._http.post(f"/__mock__/phone/{act}", json=body).json()

    def raw(self, method: str, path: str, **more: Any) -> httpx.Response:
        return self._http.request(method, path, **more)

    def token(self, app: dict[str, Any]) -> str:
        body = {"grant_type": "client_credential", "appid": app["app_id"], "secret": app["secret"]}
        return str(self.post("/cgi-bin/stable_token", body)["access_token"])


def text_of(answer: tuple[int, Any]) -> dict[str, Any]:
    """The JSON of a wechatpayv3 answer that must be a success."""
    status, text = answer
    assert status == 200, (status, text)
    return dict(json.loads(text))


def code_of(answer: tuple[int, Any]) -> tuple[int, str]:
    """Status and code of a wechatpayv3 answer that must be an error."""
    status, text = answer
    return status, str(json.loads(text)["code"])
