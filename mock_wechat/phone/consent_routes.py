"""The phone over HTTP: what its owner allows."""

from __future__ import annotations

from flask import Response

from mock_wechat.account.oauth import OAuth
from mock_wechat.account.people import People
from mock_wechat.errors import answer
from mock_wechat.ground import Ground
from mock_wechat.mini.subscribe import Subscriptions
from mock_wechat.phone.forms import form, who


class ConsentRoutes:
    def __init__(self, ground: Ground, people: People, oauth: OAuth, subscriptions: Subscriptions) -> None:
        self._ground, self._people, self._oauth, self._subscriptions = ground, people, oauth, subscriptions
        ground.mount(
            "consent",
            [
                ("POST", "/__mock__/phone/authorize", self.authorize),
                ("POST", "/__mock__/phone/subscribe", self.subscribe),
            ],
        )

    def authorize(self) -> Response:
        """Open the web login and allow it: the code and the address the phone is sent to."""
        body = form("user", "app_id", "redirect_uri")
        user, app = who(self._ground, self._people, body, "oa")
        scope, state = body.get("scope", "snsapi_base"), body.get("state", "")
        snapshot = bool(body.get("snapshot"))
        location = self._oauth.authorize(app, user, body["redirect_uri"], scope, state, snapshot=snapshot)
        code = location.split("code=", 1)[1].split("&", 1)[0]
        return answer({"code": code, "state": state, "location": location})

    def subscribe(self) -> Response:
        """Answer the popup for `template_ids`: `accept` (default true), `long_term`."""
        body = form("user", "app_id", "template_ids")
        user, app = who(self._ground, self._people, body)
        accept, long_term = bool(body.get("accept", True)), bool(body.get("long_term"))
        self._subscriptions.consent(app, user, body["template_ids"], accept=accept, long_term=long_term)
        return answer({"accepted": accept})
