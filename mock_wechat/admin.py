"""The double's own controls beside those of every double: settings, push faults, tokens, balances, outcomes."""

from __future__ import annotations

from dataclasses import asdict

from flask import Response

from mock_wechat.account.callback import Callback
from mock_wechat.account.token import Tokens
from mock_wechat.errors import PhoneError, answer
from mock_wechat.ground import Ground
from mock_wechat.pay.accounts import ACCOUNTS, Accounts, Movement
from mock_wechat.pay.gate import Gate
from mock_wechat.pay.outcomes import Outcomes
from mock_wechat.phone.forms import form, json_object
from mock_wechat.push import PushFault
from mock_wechat.pusher import Pusher


class Controls:
    """`/__mock__/settings`, `/apps`, `/tokens/forget`: what concerns the accounts and the double as a whole."""

    def __init__(self, ground: Ground, tokens: Tokens, callback: Callback) -> None:
        self._ground, self._tokens, self._callback = ground, tokens, callback
        ground.mount(
            "controls",
            [
                ("GET", "/__mock__/settings", self.settings),
                ("POST", "/__mock__/settings", self.change_settings),
                ("POST", "/__mock__/apps/<app_id>", self.change_app),
                ("POST", "/__mock__/apps/<app_id>/verify", self.verify_app),
                ("POST", "/__mock__/tokens/forget", self.forget_tokens),
            ],
        )

    def settings(self) -> Response:
        return answer(asdict(self._ground.settings))

    def change_settings(self) -> Response:
        try:
            self._ground.settings.change(json_object())
        except ValueError as error:
            raise PhoneError(400, "setting_unknown", str(error)) from None
        return self.settings()

    def change_app(self, app_id: str) -> Response:
        """What the console lets a developer change: callback_url, mode, domain, templates, ip_whitelist, pages."""
        app = self._ground.phone_app(app_id)
        for name, value in json_object().items():
            if name not in ("callback_url", "mode", "domain", "templates", "ip_whitelist", "pages"):
                raise PhoneError(400, "field_unknown", name)
            setattr(app, name, value)
        return self.verify_app(app_id)

    def verify_app(self, app_id: str) -> Response:
        """Verify the callback address as the console does when it is saved."""
        app = self._ground.phone_app(app_id)
        return answer({"callback_url": app.callback_url, "verified": self._callback.verify_url(app)})

    def forget_tokens(self) -> Response:
        self._tokens.forget(form("app_id")["app_id"])
        return answer({})


class PayControls:
    """`/__mock__/push_faults`, `/pushes`, `/answer_faults`, `/outcomes`, `/merchants`: what concerns Pay."""

    def __init__(self, ground: Ground, pusher: Pusher, gate: Gate, accounts: Accounts, outcomes: Outcomes) -> None:
        self._ground, self._pusher, self._gate = ground, pusher, gate
        self._accounts, self._outcomes = accounts, outcomes
        ground.mount(
            "pay_controls",
            [
                ("POST", "/__mock__/push_faults", self.add_push_fault),
                ("DELETE", "/__mock__/push_faults", self.clear_push_faults),
                ("POST", "/__mock__/pushes/<key>/repeat", self.repeat_push),
                ("POST", "/__mock__/answer_faults", self.add_answer_fault),
                ("POST", "/__mock__/outcomes", self.set_outcome),
                ("GET", "/__mock__/merchants/<mchid>", self.balances),
                ("POST", "/__mock__/merchants/<mchid>/top_up", self.top_up),
            ],
        )

    def add_push_fault(self) -> Response:
        fault = PushFault(**json_object())
        with self._ground.lock:
            self._pusher.faults.append(fault)
        return answer(asdict(fault), 201)

    def clear_push_faults(self) -> Response:
        self._pusher.faults.clear()
        return Response("", 204)

    def repeat_push(self, key: str) -> Response:
        sent = self._pusher.repeat(key)
        return answer({"status": sent.status})

    def add_answer_fault(self) -> Response:
        """Spoil the signature of answers: `path` (a part of it), `signature` wrong | signtest | unknown_serial."""
        fault = {"times": 1, **json_object()}
        self._gate.spoil.append(fault)
        return answer(fault, 201)

    def set_outcome(self) -> Response:
        body = form("out_no")
        self._outcomes.set(body["out_no"], {name: value for name, value in body.items() if name != "out_no"})
        return answer(body, 201)

    def balances(self, mchid: str) -> Response:
        self._merchant(mchid)
        return answer({account: self._accounts.balance(mchid, account) for account in ACCOUNTS})

    def top_up(self, mchid: str) -> Response:
        """Put money (`fen`; below 0 takes some out) into `account`."""
        body = form("account", "fen")
        self._merchant(mchid)
        if body["account"] not in ACCOUNTS:
            raise PhoneError(404, "account_unknown", "没有这个账户")
        number = f"{self._ground.number('top_up'):018d}"
        self._accounts.move(Movement(mchid, body["account"], "充值", int(body["fen"]), number, ""))
        return self.balances(mchid)

    def _merchant(self, mchid: str) -> None:
        if mchid not in self._ground.merchants:
            raise PhoneError(404, "merchant_unknown", "没有这个商户号")
