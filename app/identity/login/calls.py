"""Logging in through WeChat: begin → ask WeChat whom the code belongs to → finish."""

from __future__ import annotations

from app.core.errors import Forbidden, PartnerFault, Unauthorised
from app.core.work import Actor, Runtime
from app.gateways import Gateways
from app.identity.credential import service as credentials
from app.identity.login import service
from app.identity.login.service import WechatUser
from app.identity.session.service import TokenPair

# WeChat's refusal of a code -> ours (WeChat documentation, 全局返回码).
_REFUSALS = {
    "40029": ("code_invalid", "登录凭证无效或已过期，请重新登录"),
    "42003": ("code_invalid", "登录凭证无效或已过期，请重新登录"),
    "40163": ("code_used", "登录凭证已使用过，请重新登录"),
    "40226": ("user_blocked", "微信暂时不允许该用户登录"),
}


def log_in_web(runtime: Runtime, gateways: Gateways, actor: Actor, login: tuple[str, str, str]) -> TokenPair:
    """`login` is (app_id, code, state) as the login page brought them back."""
    app_id, code, state = login
    with runtime.work(actor) as work:
        app = service.begin_web_login(work, app_id, state)
    try:
        user = gateways.wechat.web_user(app, code)
    except PartnerFault as fault:
        raise _refusal(fault) from fault
    if user.snapshot:
        # A snapshot page (快照页) has a throw-away user; an account for it would never be seen again.
        raise Forbidden("snapshot_user", "请点击页面右下角“使用完整服务”后再登录")
    with runtime.work(actor) as work:
        return service.log_in(work, WechatUser(app_id, user.openid, user.unionid))


def log_in_mini(runtime: Runtime, gateways: Gateways, actor: Actor, login: tuple[str, str]) -> TokenPair:
    """`login` is (app_id, code of wx.login)."""
    app_id, code = login
    with runtime.read() as session:
        app = credentials.app_credentials(session, runtime.privacy, app_id)
    if app.kind != "mini":
        raise Unauthorised("app_not_mini", "这不是小程序")
    try:
        user = gateways.wechat.mini_user(app, code)
    except PartnerFault as fault:
        raise _refusal(fault) from fault
    with runtime.work(actor) as work:
        return service.log_in(work, WechatUser(app_id, user.openid, user.unionid))


def renew(runtime: Runtime, actor: Actor, refresh_token: str) -> TokenPair:
    """The next pair of tokens; the refusal of a re-used one is committed before it is told."""
    with runtime.work(actor) as work:
        pair = service.renew(work, refresh_token)
    if pair is None:
        raise Unauthorised("refresh_invalid", "登录已失效，请重新登录")
    return pair


def _refusal(fault: PartnerFault) -> Exception:
    """What the user did wrong is told; what WeChat could not do stays a PartnerFault."""
    if fault.code in _REFUSALS:
        return Unauthorised(*_REFUSALS[fault.code])
    return fault
