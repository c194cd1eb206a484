"""Operators: made, logged in, stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core.errors import Conflict, Invalid, NotFound, Throttled
from app.core.work import Work
from app.identity.operators import rules
from app.identity.operators.models import LoginAttempt, Operator, OperatorRole, OperatorSession
from app.identity.session import service as sessions
from app.identity.session.service import TokenPair

_TAKEN = ("login_taken", "这个登录名已被使用")


@dataclass(frozen=True)
class NewOperator:
    """`party_id` None is the platform; `totp_secret` is base32."""

    login: str
    roles: Sequence[str]
    party_id: UUID | None
    password: str = field(repr=False)
    totp_secret: str = field(repr=False)


@dataclass(frozen=True)
class OperatorView:
    id: UUID
    login: str
    party_id: UUID | None
    active: bool
    roles: frozenset[str]


@dataclass(frozen=True)
class Candidate:
    """Who would be logged in if the password were right; both None for an unknown or stopped login."""

    operator_id: UUID | None
    password_hash: str | None = field(repr=False)


def add_operator(work: Work, new: NewOperator) -> UUID:
    """Invalid for roles that exclude each other, Conflict for a login that is taken."""
    duty = rules.duty_of(new.roles)
    if duty is None:
        raise Invalid("roles_exclude", "系统管理员、安全员、审计员与业务角色不能由同一人担任")
    if work.session.scalar(select(Operator.id).where(Operator.login == new.login)) is not None:
        raise Conflict(*_TAKEN)
    row = Operator(login=new.login, party_id=new.party_id, duty=duty, password_hash=rules.hash_password(new.password))
    work.seal(row, "totp_sealed", new.totp_secret)
    work.add(row)
    try:
        work.session.flush()
    except IntegrityError as race:
        raise Conflict(*_TAKEN) from race
    work.add(*(OperatorRole(operator_id=row.id, role=role, duty=duty) for role in sorted(set(new.roles))))
    work.audit("operator.add", "operator", row.id, roles=sorted(new.roles))
    return row.id


def stop_operator(work: Work, operator_id: UUID) -> None:
    """The login no longer works and its sessions end; the name stays taken."""
    stopped = update(Operator).where(Operator.id == operator_id).values(active=False)
    if work.session.scalar(stopped.returning(Operator.id)) is None:
        raise NotFound
    live = select(OperatorSession.id).where(
        OperatorSession.operator_id == operator_id, OperatorSession.revoked_at.is_(None)
    )
    for session_id in work.session.scalars(live).all():
        sessions.revoke(work, OperatorSession, session_id, "operator_stopped")
    work.audit("operator.stop", "operator", operator_id)


def count_attempt(work: Work, login: str) -> Candidate:
    """Count a try before anything is compared, and give what it will be compared with. Throttled while locked."""
    index = work.privacy.index(login, "operator_login")
    first = insert(LoginAttempt).values(login_index=index, tries=0, last_at=work.now).on_conflict_do_nothing()
    work.session.execute(first)
    row = work.session.get_one(LoginAttempt, index, with_for_update=True)
    if row.locked_until is not None and row.locked_until > work.now:
        wait_s = int((row.locked_until - work.now).total_seconds()) + 1
        raise Throttled("login_locked", "尝试次数过多，请稍后再试", retry_after_s=wait_s)
    row.tries, row.last_at = row.tries + 1, work.now
    if row.tries >= rules.TRIES:
        row.tries, row.locked_until = 0, work.now + rules.LOCK
    found = work.session.scalars(select(Operator).where(Operator.login == login, Operator.active)).one_or_none()
    return Candidate(found.id, found.password_hash) if found else Candidate(None, None)


def finish_login(work: Work, operator_id: UUID, code: str) -> TokenPair | None:
    """The password was right: check the one-time password, which counts once, and open a session. None if it is wrong
    or was used before."""
    row = work.session.get_one(Operator, operator_id, with_for_update=True)
    secret = work.privacy.open(row.totp_sealed, f"operator:totp_sealed:{row.id}")
    step = rules.totp_step(secret, code, work.now)
    if step is None or step <= row.totp_step or not row.active:
        return None
    row.totp_step = step
    index = work.privacy.index(row.login, "operator_login")
    work.session.execute(delete(LoginAttempt).where(LoginAttempt.login_index == index))
    return sessions.begin(
        work, "operator", OperatorSession(operator_id=row.id, expires_at=work.now + rules.SESSION_LIFE)
    )


def renew(work: Work, refresh_token: str) -> TokenPair | None:
    """See session.service.renew: None is a refusal that must be committed."""
    return sessions.renew(work, "operator", OperatorSession, refresh_token)


def log_out(work: Work, session_id: UUID) -> None:
    sessions.revoke(work, OperatorSession, session_id, "logout")


def operator_of_session(session: Session, session_id: UUID) -> OperatorView | None:
    """Whose session it is while it lives: asked at every request, so that stopping somebody counts at once."""
    live = (
        OperatorSession.id == session_id,
        OperatorSession.revoked_at.is_(None),
        OperatorSession.expires_at > func.clock_timestamp(),
        Operator.active,
    )
    joined = select(Operator).join(OperatorSession, OperatorSession.operator_id == Operator.id).where(*live)
    row = session.scalars(joined).one_or_none()
    return _view(session, row) if row is not None else None


def operators(session: Session) -> list[OperatorView]:
    return [_view(session, row) for row in session.scalars(select(Operator).order_by(Operator.login))]


def operator(session: Session, operator_id: UUID) -> OperatorView:
    row = session.get(Operator, operator_id)
    if row is None:
        raise NotFound
    return _view(session, row)


def operator_by_login(session: Session, login: str) -> UUID | None:
    return session.scalar(select(Operator.id).where(Operator.login == login))


def _view(session: Session, row: Operator) -> OperatorView:
    roles = session.scalars(select(OperatorRole.role).where(OperatorRole.operator_id == row.id))
    return OperatorView(row.id, row.login, row.party_id, row.active, frozenset(roles))


def logins(session: Session) -> dict[UUID, str]:
    """Operators' login names, for lists that say who does what."""
    return {row.id: row.login for row in session.execute(select(Operator.id, Operator.login))}


def platform_operator(session: Session, login: str, role: str) -> UUID | None:
    """An operator of the platform's own who has the role; None where the login names nobody of that kind
    who may still work."""
    mine = (Operator.login == login, Operator.party_id.is_(None), Operator.active, OperatorRole.role == role)
    return session.scalar(select(Operator.id).join(OperatorRole, OperatorRole.operator_id == Operator.id).where(*mine))
