"""Web login (网页授权): the page in the phone's browser, and the exchange of its code for an openid."""

from __future__ import annotations

import secrets
from urllib.parse import urlencode, urlsplit, urlunsplit

from flask import Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from mock_wechat.account.codes import Codes
from mock_wechat.account.people import People
from mock_wechat.account.token import check_secret
from mock_wechat.entries import App
from mock_wechat.errors import AccountError, PhoneError, answer
from mock_wechat.ground import Ground

TOKEN_LIFE_S = 7200
REFRESH_LIFE_S = 30 * 86400
SCOPES = ("snsapi_base", "snsapi_userinfo")
STATE_BYTES = 128
COOKIE = "mock_wechat_user"


class OAuth:
    def __init__(self, ground: Ground, people: People, codes: Codes) -> None:
        self._ground, self._people, self._codes = ground, people, codes
        self._access = ground.table("web_token")
        self._refresh = ground.table("web_refresh_token")
        ground.mount(
            "oauth",
            [
                ("GET", "/connect/oauth2/authorize", self.page),
                ("POST", "/connect/oauth2/authorize", self.decide),
                ("GET", "/sns/oauth2/access_token", self.access_token),
                ("GET", "/sns/oauth2/refresh_token", self.refresh_token),
                ("GET", "/sns/userinfo", self.userinfo),
                ("GET", "/sns/auth", self.auth),
            ],
        )

    def page(self) -> BaseResponse:
        """snsapi_base goes straight on when the phone has a user; otherwise the user is asked."""
        args = request.args
        app = self._check_page(args.get("appid", ""), args.get("redirect_uri", ""), args.get("scope", ""))
        user = request.cookies.get(COOKIE, "")
        known = any(row["user"] == user for row in self._people.all())
        if known and args["scope"] == "snsapi_base":
            return redirect(self.authorize(app, user, args["redirect_uri"], args["scope"], args.get("state", "")))
        return make_response(
            render_template("authorize.html", app=app, people=self._people.all(), chosen=user, args=args)
        )

    def decide(self) -> BaseResponse:
        form = request.form
        app = self._check_page(form.get("appid", ""), form.get("redirect_uri", ""), form.get("scope", ""))
        state = form.get("state", "")
        if form.get("decision") != "allow":
            return redirect(_with_query(form["redirect_uri"], {"state": state}))
        user = self._people.get(form.get("user", ""))["user"]
        answer_to = redirect(self.authorize(app, user, form["redirect_uri"], form["scope"], state))
        answer_to.set_cookie(COOKIE, user)
        return answer_to

    def authorize(
        self, app: App, user: str, redirect_uri: str, scope: str, state: str, *, snapshot: bool = False
    ) -> str:
        """Give the user's consent; the address that the phone goes to, with code and state."""
        self._check_page(app.app_id, redirect_uri, scope)
        if len(state.encode()) > STATE_BYTES:
            raise PhoneError(400, "10016", "state 参数过长")
        code = self._codes.issue("oauth", app, user, scope=scope, snapshot=snapshot)
        return _with_query(redirect_uri, {"code": code, "state": state})

    def _check_page(self, app_id: str, redirect_uri: str, scope: str) -> App:
        app = self._ground.phone_app(app_id)
        if app.kind != "oa" or scope not in SCOPES:
            raise PhoneError(400, "10005", "该公众号没有这些 scope 的权限")
        parts = urlsplit(redirect_uri)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise PhoneError(400, "10003", "redirect_uri 参数错误")
        if app.domain and app.domain not in (parts.netloc, parts.hostname):
            raise PhoneError(400, "10003", "redirect_uri 域名与后台配置不一致")
        return app

    def access_token(self) -> Response:
        if request.args.get("grant_type") != "authorization_code":
            raise AccountError(40002)
        app = check_secret(self._ground, request.args)
        row = self._codes.redeem("oauth", app, request.args.get("code"))
        return self._grant(app, row["user"], row["scope"], snapshot=row["snapshot"])

    def refresh_token(self) -> Response:
        if request.args.get("grant_type") != "refresh_token":
            raise AccountError(40002)
        app = self._ground.app(request.args.get("appid", ""))
        row = self._refresh.get(request.args.get("refresh_token", ""))
        if row is None or row["app_id"] != app.app_id:
            raise AccountError(40030)
        if row["expires"] <= self._ground.epoch():
            raise AccountError(42002)
        return self._grant(app, row["user"], row["scope"])

    def _grant(self, app: App, user: str, scope: str, *, snapshot: bool = False) -> Response:
        token, refresh = secrets.token_urlsafe(64), secrets.token_urlsafe(64)
        row = {"app_id": app.app_id, "user": user, "scope": scope}
        self._access.put(token, {**row, "expires": self._ground.epoch() + TOKEN_LIFE_S})
        self._refresh.put(refresh, {**row, "expires": self._ground.epoch() + REFRESH_LIFE_S})
        openid = self._people.openid(user, app)
        body = {"access_token": token, "expires_in": TOKEN_LIFE_S, "refresh_token": refresh, "openid": openid}
        body["scope"] = scope
        if scope == "snsapi_userinfo":
            body["unionid"] = self._people.unionid(user, app)
        if snapshot:
            body["is_snapshotuser"] = 1
        return answer(body)

    def userinfo(self) -> Response:
        app, user, scope = self._bearer()
        if scope != "snsapi_userinfo":
            raise AccountError(48001)
        openid = self._people.openid(user, app)
        empty = {"sex": 0, "language": "", "city": "", "province": "", "country": "", "headimgurl": ""}
        person = {"openid": openid, "nickname": self._people.get(user)["name"], **empty, "privilege": []}
        return answer({**person, "unionid": self._people.unionid(user, app)})

    def auth(self) -> Response:
        self._bearer()
        return answer({"errcode": 0, "errmsg": "ok"})

    def _bearer(self) -> tuple[App, str, str]:
        row = self._access.get(request.args.get("access_token", ""))
        if row is None:
            raise AccountError(40001)
        if row["expires"] <= self._ground.epoch():
            raise AccountError(42001)
        app = self._ground.apps[row["app_id"]]
        if self._people.openid(row["user"], app) != request.args.get("openid"):
            raise AccountError(40003)
        return app, row["user"], row["scope"]


def _with_query(url: str, more: dict[str, str]) -> str:
    parts = urlsplit(url)
    query = "&".join(text for text in (parts.query, urlencode(more)) if text)
    return urlunsplit(parts._replace(query=query, fragment=""))
