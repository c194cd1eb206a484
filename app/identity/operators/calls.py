"""Logging an operator in takes two transactions: the try is counted, whatever comes of it, before it is compared.
Hashing a password takes a twentieth of a second, so no transaction is open meanwhile."""

from __future__ import annotations

from app.core.errors import Unauthorised
from app.core.work import Actor, Runtime
from app.identity.operators import rules, service
from app.identity.session.service import TokenPair


def log_in(runtime: Runtime, actor: Actor, login: str, password: str, totp: str) -> TokenPair:
    """Unauthorised says the same whatever was wrong; Throttled while the login is locked."""
    with runtime.work(actor) as work:
        candidate = service.count_attempt(work, login)
    pair = None
    if rules.is_password(password, candidate.password_hash) and candidate.operator_id is not None:
        with runtime.work(actor) as work:
            pair = service.finish_login(work, candidate.operator_id, totp)
    if pair is None:
        raise Unauthorised("login_failed", "账号、密码或动态口令不正确")
    return pair


def renew(runtime: Runtime, actor: Actor, refresh_token: str) -> TokenPair:
    """The next pair of tokens; the refusal of a re-used one is committed before it is told."""
    with runtime.work(actor) as work:
        pair = service.renew(work, refresh_token)
    if pair is None:
        raise Unauthorised("refresh_invalid", "登录已失效，请重新登录")
    return pair
