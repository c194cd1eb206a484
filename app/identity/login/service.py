"""Logging a WeChat user in, renewing and ending the session, and what higher floors ask about accounts."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core.errors import NotFound, Unauthorised
from app.core.ids import new_id
from app.core.work import Work
from app.identity.credential.service import AppCredentials, app_credentials
from app.identity.login.models import Account, LoginSession, UsedLoginState
from app.identity.login.rules import SESSION_LIFE, read_state
from app.identity.session import service as sessions
from app.identity.session.service import TokenPair


@dataclass(frozen=True)
class WechatUser:
    """Who WeChat says has logged in."""

    app_id: str
    openid: str
    unionid: str | None


def begin_web_login(work: Work, app_id: str, state: str) -> AppCredentials:
    """Use up the login page's state. Unauthorised if it is not ours, too old, or has come back before."""
    app = app_credentials(work.session, work.privacy, app_id)
    known = read_state(work.privacy, app_id, state, work.now)
    if known is None or app.kind != "oa":
        raise Unauthorised("state_invalid", "登录页面已过期，请重新打开")
    used = insert(UsedLoginState).values(nonce=known[0], expires_at=known[1])
    if work.session.scalar(used.on_conflict_do_nothing().returning(UsedLoginState.nonce)) is None:
        raise Unauthorised("state_used", "登录页面已使用过，请重新打开")
    return app


def log_in(work: Work, user: WechatUser) -> TokenPair:
    """The account of this user, made at the first login, with a new session."""
    account_id = _account(work, user.app_id, user.openid, user.unionid)
    row = LoginSession(account_id=account_id, expires_at=work.now + SESSION_LIFE)
    return sessions.begin(work, "account", row)


def renew(work: Work, refresh_token: str) -> TokenPair | None:
    """See session.service.renew: None is a refusal that must be committed."""
    return sessions.renew(work, "account", LoginSession, refresh_token)


def log_out(work: Work, session_id: UUID) -> None:
    sessions.revoke(work, LoginSession, session_id, "logout")


def follow(work: Work, app_id: str, openid: str, following: bool) -> UUID:
    """Note that a user follows, or no longer follows, the public account; the account, made if need be."""
    account_id = _account(work, app_id, openid, None)
    changed = update(Account).where(Account.id == account_id, Account.following != following)
    if work.session.scalar(changed.values(following=following).returning(Account.id)) is not None:
        work.audit("account.follow" if following else "account.unfollow", "account", account_id)
    return account_id


@dataclass(frozen=True)
class AccountView:
    """How to reach an account in WeChat."""

    id: UUID
    app_id: str
    openid: str
    following: bool


def account(session: Session, account_id: UUID) -> AccountView:
    row = session.get(Account, account_id)
    if row is None:
        raise NotFound
    return AccountView(row.id, row.app_id, row.openid, row.following)


def account_by_openid(session: Session, app_id: str, openid: str) -> UUID | None:
    return session.scalar(select(Account.id).where(Account.app_id == app_id, Account.openid == openid))


def payment_identity(session: Session, account_id: UUID) -> tuple[str, str]:
    """(app_id, openid): WeChat Pay orders and transfers need both, of the same app."""
    found = account(session, account_id)
    return found.app_id, found.openid


def _account(work: Work, app_id: str, openid: str, unionid: str | None) -> UUID:
    """Insert or find; a unionid that is known now is kept."""
    row = {"id": new_id(), "app_id": app_id, "openid": openid, "unionid": unionid}
    new = insert(Account).values(row).on_conflict_do_nothing().returning(Account.id)
    account_id = work.session.scalar(new)
    if account_id is not None:
        work.audit("account.create", "account", account_id)
        return account_id
    mine = (Account.app_id == app_id, Account.openid == openid)
    if unionid:
        work.session.execute(update(Account).where(*mine).values(unionid=unionid))
    return work.session.scalars(select(Account.id).where(*mine)).one()
