"""User management of an official account: who follows it."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from mock_wechat.account.people import People
from mock_wechat.account.token import Tokens, json_body, text
from mock_wechat.entries import App
from mock_wechat.errors import AccountError, answer
from mock_wechat.ground import Ground

PAGE = 10_000
BATCH = 100


class Followers:
    def __init__(self, ground: Ground, people: People, tokens: Tokens) -> None:
        self._people, self._tokens = people, tokens
        ground.mount(
            "followers",
            [
                ("GET", "/cgi-bin/user/info", self.info),
                ("GET", "/cgi-bin/user/get", self.get),
                ("POST", "/cgi-bin/user/info/batchget", self.batchget),
            ],
        )

    def info(self) -> Response:
        app = self._tokens.check("oa")
        return answer(self._describe(app, request.args.get("openid", "")))

    def batchget(self) -> Response:
        app = self._tokens.check("oa")
        wanted = json_body().get("user_list", [])
        if not isinstance(wanted, list) or len(wanted) > BATCH or not all(isinstance(e, dict) for e in wanted):
            raise AccountError(47001)
        return answer({"user_info_list": [self._describe(app, text(entry, "openid")) for entry in wanted]})

    def get(self) -> Response:
        app = self._tokens.check("oa")
        openids = [row["openids"][app.app_id] for row in self._people.all() if app.app_id in row["follows"]]
        after = request.args.get("next_openid", "")
        start = openids.index(after) + 1 if after in openids else 0
        page = openids[start : start + PAGE]
        body: dict[str, Any] = {"total": len(openids), "count": len(page)}
        if page:
            body["data"] = {"openid": page}
        return answer({**body, "next_openid": page[-1] if page else ""})

    def _describe(self, app: App, openid: str) -> dict[str, Any]:
        user = self._people.find(app.app_id, openid)
        if user is None:
            raise AccountError(40003)
        since = self._people.follows(user, app)
        if since is None:
            return {"subscribe": 0, "openid": openid}
        row = {"subscribe": 1, "openid": openid, "language": "zh_CN", "subscribe_time": since}
        scene = {"subscribe_scene": "ADD_SCENE_SEARCH", "qr_scene": 0, "qr_scene_str": ""}
        groups = {"remark": "", "groupid": 0, "tagid_list": []}
        return {**row, "unionid": self._people.unionid(user, app), **groups, **scene}
