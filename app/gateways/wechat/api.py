"""WeChat's server APIs for public accounts and mini-programs: login, phone number, messages, menu, followers.

Errors come with HTTP 200 and `errcode` (WeChat documentation, 全局返回码): each becomes a PartnerFault of that code.
Tokens and secrets stand in WeChat's URLs by protocol, so no URL is ever logged.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from redis import Redis

from app.core.errors import PartnerFault
from app.core.privacy import Privacy
from app.gateways.http import Http
from app.gateways.wechat.token import AppKey, TokenStore

PARTNER = "wechat"
STALE_TOKEN = {40001, 40014, 42001}
# Busy, daily quota, per-minute limit: asking again later may succeed. Everything else will be refused again.
TEMPORARY = {-1, 45009, 45011, 43117}


@dataclass(frozen=True)
class WebUser:
    """Who came back from the login page. `snapshot` is the throw-away user of a snapshot page (快照页)."""

    openid: str
    unionid: str | None = None
    snapshot: bool = False


@dataclass(frozen=True)
class TemplateMessage:
    """`data` is field -> text, `page` opens the mini-program `mini_app_id`; `client_msg_id` stops a second sending."""

    openid: str
    template_id: str
    data: dict[str, str]
    client_msg_id: str
    url: str = ""
    mini_app_id: str = ""
    page: str = ""


@dataclass
class WeChat:
    """The client. `api_url` and `open_url` are WeChat's hosts, or a stand-in's."""

    api_url: str
    open_url: str
    http: Http
    redis: Redis
    privacy: Privacy
    tokens: TokenStore = field(init=False)

    def __post_init__(self) -> None:
        self.tokens = TokenStore(self.redis, self.privacy, self._stable_token)

    def authorize_url(self, app_id: str, redirect_uri: str, state: str, scope: str = "snsapi_base") -> str:
        """The login page to open inside WeChat; the order of the parameters and the fragment are demanded there."""
        query = f"appid={quote(app_id)}&redirect_uri={quote(redirect_uri, safe='')}&response_type=code"
        return f"{self.open_url}/connect/oauth2/authorize?{query}&scope={scope}&state={quote(state)}#wechat_redirect"

    def web_user(self, app: AppKey, code: str) -> WebUser:
        """Exchange the login page's code. PartnerFault 40029 (unknown or old code), 40163 (used before)."""
        query = {"appid": app.app_id, "secret": app.secret, "code": code, "grant_type": "authorization_code"}
        body = self._ask("GET", "/sns/oauth2/access_token", params=query)
        return WebUser(_text(body, "openid"), body.get("unionid"), bool(body.get("is_snapshotuser")))

    def mini_user(self, app: AppKey, code: str) -> WebUser:
        """Exchange a mini-program's login code. As `web_user`, and 40226 for a user whom WeChat holds for high-risk."""
        query = {"appid": app.app_id, "secret": app.secret, "js_code": code, "grant_type": "authorization_code"}
        body = self._ask("GET", "/sns/jscode2session", params=query)
        return WebUser(_text(body, "openid"), body.get("unionid"))

    def phone_number(self, app: AppKey, code: str, openid: str) -> str:
        """The phone number behind the code of the mini-program's phone button."""
        body = self._with_token(app, "/wxa/business/getuserphonenumber", {"code": code, "openid": openid})
        return str(body["phone_info"]["purePhoneNumber"])

    def send_template(self, app: AppKey, message: TemplateMessage) -> str:
        """Send a public account's template message; WeChat's number for it. PartnerFault 43004: not a follower."""
        body: dict[str, Any] = {
            "touser": message.openid,
            "template_id": message.template_id,
            "client_msg_id": message.client_msg_id,
            "data": _cells(message.data),
        }
        if message.url:
            body["url"] = message.url
        if message.mini_app_id:
            body["miniprogram"] = {"appid": message.mini_app_id, "pagepath": message.page}
        return str(self._with_token(app, "/cgi-bin/message/template/send", body)["msgid"])

    def send_subscribed(self, app: AppKey, message: TemplateMessage) -> None:
        """Send a mini-program's subscribe message. PartnerFault 43101: the user has no sending left."""
        body = {
            "touser": message.openid,
            "template_id": message.template_id,
            "page": message.page,
            "data": _cells(message.data),
            "miniprogram_state": "formal",
            "lang": "zh_CN",
        }
        self._with_token(app, "/cgi-bin/message/subscribe/send", body)

    def create_menu(self, app: AppKey, buttons: list[dict[str, Any]]) -> None:
        self._with_token(app, "/cgi-bin/menu/create", {"button": buttons})

    def follows(self, app: AppKey, openid: str) -> bool:
        """Whether a user follows the public account now."""
        body = self._with_token(app, "/cgi-bin/user/info", None, openid=openid)
        return body.get("subscribe") == 1

    def _stable_token(self, app: AppKey) -> tuple[str, int]:
        body = {"grant_type": "client_credential", "appid": app.app_id, "secret": app.secret}
        answer = self._ask("POST", "/cgi-bin/stable_token", content=_json(body))
        return _text(answer, "access_token"), int(answer["expires_in"])

    def _with_token(self, app: AppKey, path: str, body: dict[str, Any] | None, **query: str) -> Any:
        """One call with the app's token, and one more with another token if WeChat says that this one is stale."""
        token = self.tokens.current(app)
        try:
            return self._call(token, path, body, query)
        except PartnerFault as fault:
            if fault.code not in {str(code) for code in STALE_TOKEN}:
                raise
        return self._call(self.tokens.renew(app, token), path, body, query)

    def _call(self, token: str, path: str, body: dict[str, Any] | None, query: dict[str, str]) -> Any:
        params = {"access_token": token, **query}
        if body is None:
            return self._ask("GET", path, params=params)
        return self._ask("POST", path, params=params, content=_json(body))

    def _ask(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        body = self.http.ask(method, f"{self.api_url}{path}", **request)
        if not isinstance(body, dict):
            raise PartnerFault(PARTNER, "not_an_object", unknown=True)
        errcode = body.get("errcode", 0)
        if errcode:
            lasting = errcode not in TEMPORARY and errcode not in STALE_TOKEN
            raise PartnerFault(PARTNER, str(errcode), permanent=lasting)
        return body


def _json(body: dict[str, Any]) -> bytes:
    """Raw UTF-8: WeChat refuses a menu with \\u escapes (40033)."""
    return json.dumps(body, ensure_ascii=False).encode()


def _cells(data: dict[str, str]) -> dict[str, dict[str, str]]:
    return {name: {"value": text} for name, text in data.items()}


def _text(body: dict[str, Any], name: str) -> str:
    """A field that a success must have."""
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise PartnerFault(PARTNER, "incomplete", unknown=True)
    return value
