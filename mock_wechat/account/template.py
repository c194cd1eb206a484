"""Template messages (模板消息) of official accounts, and the event that tells whether one arrived."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Response

from mock_wechat.account.callback import Callback
from mock_wechat.account.fields import check_fields
from mock_wechat.account.inbox import Inbox
from mock_wechat.account.people import People
from mock_wechat.account.token import Tokens, json_body
from mock_wechat.entries import App
from mock_wechat.errors import AccountError, answer
from mock_wechat.ground import Ground
from mock_wechat.times import parse, rfc3339_ms, shanghai_date


class Templates:
    def __init__(self, ground: Ground, people: People, tokens: Tokens, inbox: Inbox, callback: Callback) -> None:
        self._ground, self._people, self._tokens = ground, people, tokens
        self._inbox, self._callback = inbox, callback
        self._sent = ground.table("template_message")
        self._by_client_id = {row["client_id"]: row for row in self._sent.values() if row["client_id"]}
        self._unfinished = {key for key, row in self._sent.items() if not row["finished"]}
        ground.sweepers.append(self._finish_due)
        ground.mount("template", [("POST", "/cgi-bin/message/template/send", self.send)])

    def send(self) -> Response:
        app = self._tokens.check("oa")
        body = json_body()
        user = self._people.find(app.app_id, str(body.get("touser", "")))
        if user is None:
            raise AccountError(40003)
        if self._people.follows(user, app) is None:
            raise AccountError(43004)
        demanded = app.template_fields(str(body.get("template_id", "")))
        if demanded is None:
            raise AccountError(40037)
        if body["template_id"] in self._ground.settings.template_refusals:
            raise AccountError(self._ground.settings.template_refusals[body["template_id"]])
        texts = check_fields(body.get("data"), demanded)
        return answer({"errcode": 0, "errmsg": "ok", "msgid": self._keep(app, user, body, texts)})

    def _keep(self, app: App, user: str, body: dict[str, Any], texts: dict[str, str]) -> int:
        client_id = f"{app.app_id}:{body['client_msg_id']}" if body.get("client_msg_id") else ""
        with self._ground.lock:
            if client_id in self._by_client_id:
                return int(self._by_client_id[client_id]["msgid"])
            today = shanghai_date(self._ground.now())
            if self._ground.number(f"template:{app.app_id}:{today}") > self._ground.settings.template_day_quota:
                raise AccountError(45009)
            msgid = 3 * 10**18 + self._ground.number("template")
            due = self._ground.now() + timedelta(seconds=self._ground.settings.template_finish_s)
            row = {"msgid": msgid, "app_id": app.app_id, "user": user, "client_id": client_id, "finished": False}
            row |= {"template_id": body["template_id"], "data": texts, "due": rfc3339_ms(due)}
            row |= {"url": body.get("url", ""), "miniprogram": body.get("miniprogram")}
            self._sent.put(str(msgid), row)
            self._unfinished.add(str(msgid))
            if client_id:
                self._by_client_id[client_id] = row
            return msgid

    def _finish_due(self) -> None:
        now = self._ground.now()
        for key in sorted(self._unfinished):
            row = self._sent[key]
            if parse(row["due"]) <= now:
                self._finish(key, row)

    def _finish(self, key: str, row: dict[str, Any]) -> None:
        app = self._ground.apps[row["app_id"]]
        blocked = app.app_id in self._people.get(row["user"])["blocks"]
        with self._ground.lock:
            self._unfinished.discard(key)
            self._sent.put(key, {**row, "finished": True})
            if not blocked:
                shown = {name: row[name] for name in ("template_id", "data", "url", "miniprogram", "msgid")}
                self._inbox.add(row["user"], app.app_id, "template", shown)
        status = "failed:user block" if blocked else "success"
        self._callback.event(app, row["user"], "TEMPLATESENDJOBFINISH", MsgID=row["msgid"], Status=status)
