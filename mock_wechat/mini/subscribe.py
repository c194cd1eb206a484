"""Subscribe messages (订阅消息) of mini-programs and official accounts: one sending per consent of the user."""

from __future__ import annotations

import re
from typing import Any

from flask import Response

from mock_wechat.account.callback import Callback
from mock_wechat.account.fields import check_fields
from mock_wechat.account.inbox import Inbox
from mock_wechat.account.people import People
from mock_wechat.account.token import Tokens, json_body
from mock_wechat.entries import App
from mock_wechat.errors import AccountError, PhoneError, answer
from mock_wechat.ground import Ground

LONG_TERM = 10**9
STATES = ("developer", "trial", "formal")


class Subscriptions:
    def __init__(self, ground: Ground, people: People, tokens: Tokens, inbox: Inbox, callback: Callback) -> None:
        self._ground, self._people, self._tokens = ground, people, tokens
        self._inbox, self._callback = inbox, callback
        self._consents = ground.table("subscribe_consent")
        ground.mount(
            "subscribe",
            [
                ("POST", "/cgi-bin/message/subscribe/send", self.send_mini),
                ("POST", "/cgi-bin/message/subscribe/bizsend", self.send_account),
            ],
        )

    def send_mini(self) -> Response:
        return self._send(self._tokens.check("mini"))

    def send_account(self) -> Response:
        return self._send(self._tokens.check("oa"))

    def consent(self, app: App, user: str, template_ids: list[str], *, accept: bool, long_term: bool = False) -> None:
        """What the user answers in the popup: one sending per template, or any number for a long-term consent."""
        for template_id in template_ids:
            if app.template_fields(template_id) is None:
                raise PhoneError(404, "template_unknown", "没有这个消息模板")
            with self._ground.lock:
                key = f"{app.app_id}:{user}:{template_id}"
                left = self._consents.get(key, {}).get("left", 0)
                more = LONG_TERM if long_term else 1
                self._consents.put(key, {"left": left + more if accept else 0})
        status = "accept" if accept else "reject"
        chosen = [{"TemplateId": t, "SubscribeStatusString": status, "PopupScene": 0} for t in template_ids]
        self._callback.event(app, user, "subscribe_msg_popup_event", SubscribeMsgPopupEvent={"List": chosen})

    def _send(self, app: App) -> Response:
        body = json_body()
        user = self._people.find(app.app_id, str(body.get("touser", "")))
        if user is None:
            raise AccountError(40003)
        template_id = str(body.get("template_id", ""))
        demanded = app.template_fields(template_id)
        if demanded is None:
            raise AccountError(40037)
        if template_id in self._ground.settings.template_refusals:
            raise AccountError(self._ground.settings.template_refusals[template_id])
        self._check_page(app, body)
        texts = check_fields(body.get("data"), demanded)
        self._use(app, user, template_id)
        shown = {"template_id": template_id, "data": texts, "page": body.get("page", "")}
        msgid = int(self._inbox.add(user, app.app_id, "subscribe", shown))
        self._tell(app, user, template_id, msgid)
        return answer({"errcode": 0, "errmsg": "ok", "msgid": msgid})

    def _check_page(self, app: App, body: dict[str, Any]) -> None:
        page = str(body.get("page") or "")
        path = re.split(r"[?#]", page, maxsplit=1)[0]
        if app.kind == "mini" and (page.startswith("/") or (app.pages and path and path not in app.pages)):
            raise AccountError(41030)
        if body.get("miniprogram_state", "formal") not in STATES:
            raise AccountError(47001)

    def _use(self, app: App, user: str, template_id: str) -> None:
        with self._ground.lock:
            key = f"{app.app_id}:{user}:{template_id}"
            left = self._consents.get(key, {}).get("left", 0)
            if left < 1 or app.app_id in self._people.get(user)["blocks"]:
                raise AccountError(43101)
            self._consents.put(key, {"left": left - 1 if left < LONG_TERM else left})

    def _tell(self, app: App, user: str, template_id: str, msgid: int) -> None:
        sent = {"TemplateId": template_id, "MsgID": msgid, "ErrorCode": 0, "ErrorStatus": "success"}
        self._callback.event(app, user, "subscribe_msg_sent_event", SubscribeMsgSentEvent={"List": [sent]})
