from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from apiflask import APIBlueprint
from flask import Request
from sqlalchemy.orm import Session

from app.core.errors import Unauthorised
from app.core.work import Runtime, Work
from app.identity.credential import service as credentials
from app.identity.login import calls, service
from app.identity.login.contracts import MiniLoginInput, StateQuery, StateView, WebLoginInput
from app.identity.login.revocation import Revocations
from app.identity.login.rules import STATE_LIFE, make_state
from app.identity.session.contracts import DoneView, RefreshInput, TokenView
from app.web.routes import command, door, question, refuses, talk
from app.web.site import ACCOUNT, PUBLIC, Caller, actor, bearer, gateways, runtime

if TYPE_CHECKING:
    from app.gateways import Gateways

bp = APIBlueprint("login", __name__, url_prefix="/api/v1", tag="登录")
revocations = Revocations()


def authenticate(request: Request, runtime: Runtime) -> Caller:
    """The account behind an access token whose session has not been revoked."""
    claims = runtime.tokens.read(bearer(request), ACCOUNT)
    if revocations.contain(runtime, claims.session):
        raise Unauthorised("session_ended", "登录已失效，请重新登录")
    return Caller(ACCOUNT, claims.subject, session_id=claims.session)


OF_WECHAT = ("code_invalid", "code_used", "user_blocked")
REFUSES_OAUTH = {401: ("state_invalid", "state_used", *OF_WECHAT), 403: ("snapshot_user",), 404: ("app_unknown",)}
REFUSES_MINI = {401: ("app_not_mini", *OF_WECHAT), 404: ("app_unknown",)}
REFUSES_REFRESH = {401: ("refresh_invalid",)}


@question(bp, "/login/state", door(PUBLIC), out=StateView, query=StateQuery)
def login_state(session: Session, _: None, query: StateQuery) -> StateView:
    """取得微信网页授权的一次性 state 和授权地址"""
    credentials.party_of_app(session, query.app_id)
    here = runtime()
    state = make_state(here.privacy, query.app_id, here.clock.now())
    back = f"{here.settings.public_url}/h5/login?{urlencode({'app_id': query.app_id})}"
    url = gateways().wechat.authorize_url(query.app_id, back, state)
    return StateView(state=state, authorize_url=url, expires_in_s=int(STATE_LIFE.total_seconds()))


@talk(bp, "/login/oauth", door(PUBLIC), out=TokenView, body=WebLoginInput)
@refuses(REFUSES_OAUTH)
def login_oauth(runtime: Runtime, gateways: Gateways, caller: None, body: WebLoginInput) -> TokenView:
    """用网页授权的 code 登录（公众号 H5）"""
    login = (body.app_id, body.code, body.state)
    return TokenView.model_validate(calls.log_in_web(runtime, gateways, actor(caller), login), from_attributes=True)


@talk(bp, "/login/mini", door(PUBLIC), out=TokenView, body=MiniLoginInput)
@refuses(REFUSES_MINI)
def login_mini(runtime: Runtime, gateways: Gateways, caller: None, body: MiniLoginInput) -> TokenView:
    """用 wx.login 的 code 登录（小程序）"""
    return TokenView.model_validate(
        calls.log_in_mini(runtime, gateways, actor(caller), (body.app_id, body.code)), from_attributes=True
    )


@talk(bp, "/login/refresh", door(PUBLIC), out=TokenView, body=RefreshInput)
@refuses(REFUSES_REFRESH)
def login_refresh(runtime: Runtime, _: Gateways, caller: None, body: RefreshInput) -> TokenView:
    """换取新的令牌；每个 refresh_token 只能用一次"""
    return TokenView.model_validate(calls.renew(runtime, actor(caller), body.refresh_token), from_attributes=True)


@command(bp, "/logout", door(ACCOUNT), out=DoneView)
def logout(work: Work, caller: Caller) -> DoneView:
    """退出登录"""
    assert caller.session_id is not None
    service.log_out(work, caller.session_id)
    return DoneView()
