"""Links that open a mini-program from outside WeChat, and the check of texts that users write."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Response

from mock_wechat.account.people import People
from mock_wechat.account.token import Tokens, json_body, text
from mock_wechat.entries import App
from mock_wechat.errors import AccountError, answer
from mock_wechat.ground import Ground

QUERY_CHARS, INTERVAL_DAYS, CONTENT_CHARS = 1024, 30, 2500
RISKY_WORDS = ("赌博", "毒品", "色情")


class Links:
    def __init__(self, ground: Ground, people: People, tokens: Tokens) -> None:
        self._people, self._tokens = people, tokens
        self._links = ground.table("link")
        ground.mount(
            "links",
            [
                ("POST", "/wxa/generate_urllink", self.urllink),
                ("POST", "/wxa/generatescheme", self.scheme),
                ("POST", "/wxa/msg_sec_check", self.check_text),
            ],
        )

    def urllink(self) -> Response:
        app, body = self._tokens.check("mini"), json_body()
        token = self._keep(app, body, body)
        return answer({"errcode": 0, "errmsg": "ok", "url_link": f"https://wxaurl.cn/{token}"})

    def scheme(self) -> Response:
        app, body = self._tokens.check("mini"), json_body()
        target = body.get("jump_wxa")
        token = self._keep(app, target if isinstance(target, dict) else {}, body)
        return answer({"errcode": 0, "errmsg": "ok", "openlink": f"weixin://dl/business/?t={token}"})

    def _keep(self, app: App, target: dict[str, Any], body: dict[str, Any]) -> str:
        path, query = text(target, "path"), text(target, "query")
        days = body.get("expire_interval", 1)
        if path.startswith("/") or (app.pages and path and path not in app.pages):
            raise AccountError(41030)
        if len(query) > QUERY_CHARS or not isinstance(days, int) or not 1 <= days <= INTERVAL_DAYS:
            raise AccountError(47001)
        token = secrets.token_urlsafe(9)
        self._links.put(token, {"app_id": app.app_id, "path": path, "query": query})
        return token

    def check_text(self) -> Response:
        app, body = self._tokens.check("mini"), json_body()
        if self._people.find(app.app_id, text(body, "openid")) is None:
            raise AccountError(40003)
        content = text(body, "content")
        if body.get("version") != 2 or body.get("scene") not in (1, 2, 3, 4) or not 0 < len(content) <= CONTENT_CHARS:
            raise AccountError(47001)
        risky = any(word in content for word in RISKY_WORDS)
        result = {"suggest": "risky" if risky else "pass", "label": 20000 if risky else 100}
        body_out = {"errcode": 0, "errmsg": "ok", "trace_id": secrets.token_hex(16), "result": result}
        return answer({**body_out, "detail": [{"strategy": "content_model", "errcode": 0, **result}]})
