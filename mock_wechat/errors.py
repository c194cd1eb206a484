"""The three shapes in which this world says no.

- AccountError: api.weixin.qq.com, HTTP 200 with `errcode` and `errmsg`;
- PayError: api.mch.weixin.qq.com, an HTTP status with `code` and `message`;
- PhoneError: what the phone shows to its user.
"""

from __future__ import annotations

import secrets
from typing import Any

from flask import Flask, Response, json, request
from werkzeug.exceptions import HTTPException

MESSAGES = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest, could get access_token by "
    "getStableAccessToken, more details at https://mmbizurl.cn/s/JtxxFh33r",
    40002: "invalid grant_type",
    40003: "invalid openid",
    40013: "invalid appid",
    40015: "invalid menu type",
    40016: "invalid button size",
    40017: "invalid button type",
    40018: "invalid button name size",
    40019: "invalid button key size",
    40020: "invalid button url size",
    40023: "invalid sub button size",
    40029: "invalid code",
    40030: "invalid refresh_token",
    40033: "invalid charset. please check your request, if include \\uxxxx will create fail!",
    40037: "invalid template_id",
    40125: "invalid appsecret",
    40163: "code been used",
    40164: "invalid ip, not in whitelist",
    40226: "code blocked",
    40097: "invalid args",
    41001: "access_token missing",
    41002: "appid missing",
    41004: "appsecret missing",
    41008: "missing code",
    41009: "missing openid",
    41030: "invalid page",
    42001: "access_token expired",
    42002: "refresh_token expired",
    42003: "code expired",
    43004: "require subscribe",
    43116: "this template is banned",
    43117: "this template is sent too often to this user",
    43101: "user refuse to accept the msg",
    44002: "empty post data",
    45009: "reach max api daily quota limit",
    45015: "response out of time limit or subscription is canceled",
    45047: "out of response count limit",
    46003: "menu no exist",
    47001: "data format error",
    47003: "argument invalid!",
    48001: "api unauthorized",
    87009: "invalid signature",
}


class AccountError(Exception):
    """An error of the account APIs; `note` is added to the message, as WeChat names a field."""

    def __init__(self, errcode: int, note: str = "") -> None:
        super().__init__(errcode)
        rid = "-".join(secrets.token_hex(4) for _ in range(3))
        text = " ".join(part for part in (MESSAGES.get(errcode, "refused"), note) if part)
        self.body = {"errcode": errcode, "errmsg": f"{text} rid: {rid}"}


class PayError(Exception):
    """An error of the Pay APIs: HTTP status, code, message and, for a wrong field, its detail."""

    def __init__(self, status: int, code: str, message: str, detail: dict[str, Any] | None = None) -> None:
        super().__init__(code)
        self.status = status
        self.body = {"code": code, "message": message, **({"detail": detail} if detail else {})}


class PhoneError(Exception):
    """What the phone refuses, with the words it shows."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status = status
        self.body = {"code": code, "message": message}


def answer(body: Any, status: int = 200) -> Response:
    """JSON in raw UTF-8, in the order given, as WeChat writes it."""
    return Response(json.dumps(body, ensure_ascii=False, sort_keys=False), status, mimetype="application/json")


def install(app: Flask) -> None:
    """Turn the three errors into answers, and give Pay's unknown paths and methods their empty bodies."""
    app.register_error_handler(AccountError, lambda e: answer(e.body))
    app.register_error_handler(PayError, lambda e: answer(e.body, e.status))
    app.register_error_handler(PhoneError, lambda e: answer(e.body, e.status))
    app.register_error_handler(HTTPException, _http_error)


def _http_error(error: HTTPException) -> Response | HTTPException:
    if request.path.startswith("/v3/"):
        return Response("", error.code)
    return error
