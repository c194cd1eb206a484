"""Six-digit codes that prove a phone. Counting stands in PostgreSQL: without it nobody gets or uses a code."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update

from app.core.errors import Invalid, Throttled
from app.core.work import Work
from app.identity.login.models import Account
from app.identity.person import rules
from app.identity.person.models import SmsCode
from app.identity.person.people import phone_index


@dataclass(frozen=True)
class PhoneCode:
    """A code on its way into a message to `phone`, in the name of `hospital_id`."""

    hospital_id: UUID
    phone: str = field(repr=False)
    code: str = field(repr=False)
    minutes: int = int(rules.CODE_LIFE.total_seconds() // 60)


def want(work: Work, account_id: UUID, hospital_id: UUID, phone: str) -> UUID:
    """Ask for a code to be sent; the event `identity.phone_code_wanted` has the row's id. Throttled above ten a
    day for a phone or an account, and for a minute after a code that has not been used."""
    index, day = phone_index(work.privacy, phone), work.clock.today()
    work.session.execute(select(Account.id).where(Account.id == account_id).with_for_update(key_share=True))
    work.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(index, 1))))
    unused = (SmsCode.phone_index == index, SmsCode.used_at.is_(None))
    last = work.session.scalar(select(func.max(SmsCode.wanted_at)).where(*unused))
    if last is not None and work.now - last < rules.CODE_PAUSE:
        wait = rules.CODE_PAUSE - (work.now - last)
        raise Throttled(
            "phone_code_too_soon", "验证码刚刚发过，请稍后再试", retry_after_s=int(wait.total_seconds()) + 1
        )
    row = SmsCode(account_id=account_id, hospital_id=hospital_id, phone_index=index, day=day)
    row.phone_place = _next(work, SmsCode.phone_place, SmsCode.phone_index == index, SmsCode.day == day)
    row.account_place = _next(work, SmsCode.account_place, SmsCode.account_id == account_id, SmsCode.day == day)
    if max(row.phone_place, row.account_place) > rules.CODES_A_DAY:
        raise Throttled("phone_code_limit", "今天获取验证码的次数已用完，请明天再试", retry_after_s=3600)
    row.wanted_at, row.expires_at = work.now, work.now + rules.CODE_LIFE
    work.seal(row, "phone_sealed", phone)
    work.add(row)
    work.audit("sms_code.want", "sms_code", row.id)
    work.emit("identity.phone_code_wanted", row.id)
    return row.id


def issue(work: Work, sms_code_id: UUID) -> PhoneCode | None:
    """Draw the code for the message that is about to be written; its hash is stored with that message. None if the code
    was issued before or nobody waits for it any more."""
    row = work.session.get(SmsCode, sms_code_id, with_for_update=True)
    if row is None or row.code_hash is not None or row.expires_at <= work.now:
        return None
    code = f"{secrets.randbelow(1_000_000):06d}"
    row.code_hash = _hash(work, row, code)
    row.expires_at = work.now + rules.CODE_LIFE
    return PhoneCode(row.hospital_id, work.reveal(row, "phone_sealed", "send a phone code"), code)


def count_try(work: Work, account_id: UUID, phone: str) -> None:
    """Count one try at the newest code of this account and phone. Committed before the code is compared, so that a
    refusal cannot take it back."""
    newest = _newest(account_id, phone_index(work.privacy, phone)).with_only_columns(SmsCode.id).scalar_subquery()
    work.session.execute(update(SmsCode).where(SmsCode.id == newest).values(tries=SmsCode.tries + 1))


def use(work: Work, account_id: UUID, phone: str, code: str) -> None:
    """Use up the newest code. Invalid if it is another one, too old, used before, or tried more than five times."""
    newest = _newest(account_id, phone_index(work.privacy, phone)).with_for_update()
    row = work.session.scalars(newest).one_or_none()
    if row is None or not _is_good(work, row, code):
        wrong = "验证码不正确或已失效，请核对或重新获取"
        raise Invalid("phone_code_wrong", wrong, fields={"phone_code": wrong})
    row.used_at = work.now
    work.audit("sms_code.use", "sms_code", row.id)


def _is_good(work: Work, row: SmsCode, code: str) -> bool:
    usable = row.code_hash is not None and row.used_at is None and row.expires_at > work.now
    return usable and row.tries <= rules.CODE_TRIES and compare_digest(row.code_hash or "", _hash(work, row, code))


def _hash(work: Work, row: SmsCode, code: str) -> str:
    """Keyed: six digits under a plain hash could be tried through in a second."""
    return work.privacy.index(code, f"sms_code:{row.id}")


def _newest(account_id: UUID, index: str) -> Any:
    mine = select(SmsCode).where(SmsCode.account_id == account_id, SmsCode.phone_index == index)
    return mine.order_by(SmsCode.id.desc()).limit(1)


def _next(work: Work, place: Any, *of: Any) -> int:
    return (work.session.scalar(select(func.max(place)).where(*of)) or 0) + 1
