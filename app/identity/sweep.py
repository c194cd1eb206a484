"""What ends by time: claims nobody answered, logins, codes, used states. Runs a few times a minute."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete

from app.core.work import Work
from app.identity.login.models import LoginSession, UsedLoginState
from app.identity.operators.models import LoginAttempt, OperatorSession
from app.identity.person import service as person
from app.identity.person.models import SmsCode
from app.identity.session import service as sessions

KEEP_CODES = timedelta(days=2)
KEEP_SESSIONS = timedelta(days=1)


def sweep(work: Work) -> None:
    person.expire_pending(work)
    for model in (LoginSession, OperatorSession):
        sessions.forget_ended(work.session, model, work.now - KEEP_SESSIONS)
    work.session.execute(delete(LoginAttempt).where(LoginAttempt.last_at < work.now - KEEP_SESSIONS))
    work.session.execute(delete(UsedLoginState).where(UsedLoginState.expires_at < work.now))
    work.session.execute(delete(SmsCode).where(SmsCode.day < work.clock.today() - KEEP_CODES))
