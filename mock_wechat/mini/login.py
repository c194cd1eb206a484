"""Mini-program login: `wx.login` gives a code, jscode2session exchanges it for openid and session_key."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from flask import Response, request

from mock_wechat.account.codes import Codes
from mock_wechat.account.people import People
from mock_wechat.account.token import Tokens, check_secret
from mock_wechat.entries import App
from mock_wechat.errors import AccountError, answer
from mock_wechat.ground import Ground


class Login:
    def __init__(self, ground: Ground, people: People, codes: Codes, tokens: Tokens) -> None:
        self._ground, self._people, self._codes, self._tokens = ground, people, codes, tokens
        self._sessions = ground.table("mini_session")
        ground.mount(
            "mini",
            [
                ("GET", "/sns/jscode2session", self.jscode2session),
                ("GET", "/wxa/checksession", self.checksession),
                ("GET", "/wxa/resetusersessionkey", self.reset),
            ],
        )

    def jscode2session(self) -> Response:
        if request.args.get("grant_type") != "authorization_code":
            raise AccountError(40002)
        app = check_secret(self._ground, request.args)
        if app.kind != "mini":
            raise AccountError(40013)
        row = self._codes.redeem("login", app, request.args.get("js_code"))
        if "high_risk" in self._people.get(row["user"])["blocks"]:
            raise AccountError(40226)
        openid = self._people.openid(row["user"], app)
        key = self._renew(app, openid)
        return answer({"openid": openid, "session_key": key, "unionid": self._people.unionid(row["user"], app)})

    def checksession(self) -> Response:
        self._signed()
        return answer({"errcode": 0, "errmsg": "ok"})

    def reset(self) -> Response:
        app, openid = self._signed()
        return answer({"errcode": 0, "errmsg": "ok", "openid": openid, "session_key": self._renew(app, openid)})

    def _renew(self, app: App, openid: str) -> str:
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        self._sessions.put(f"{app.app_id}:{openid}", {"session_key": key})
        return key

    def _signed(self) -> tuple[App, str]:
        app = self._tokens.check("mini")
        openid = request.args.get("openid", "")
        session = self._sessions.get(f"{app.app_id}:{openid}")
        if session is None:
            raise AccountError(40003)
        expected = hmac.new(session["session_key"].encode(), b"", hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, request.args.get("signature", "")):
            raise AccountError(87009)
        return app, openid
