"""Roles and what they exclude; passwords and one-time passwords. Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from hmac import compare_digest

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# Role -> duty. Roles of one duty may be held together, roles of two duties never (GB/T 22239-2019, 三权分立).
DUTIES = {
    "claims": "business",
    "finance": "business",
    "payout_approver": "business",
    "administrator": "administrator",
    "security": "security",
    "auditor": "auditor",
}
SESSION_LIFE = timedelta(hours=12)
TRIES, LOCK = 5, timedelta(minutes=15)
TOTP_STEP_S = 30
TOTP_DRIFT = 1  # steps a phone's clock may be off
_HASHER = PasswordHasher()  # argon2id with RFC 9106's second recommendation
# Compared where there is no such login, so that both cases take the same time.
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$Af50ktCaHdhXZscG7zI+7A$EPMq6o1Kpq9eOMk37OvqR01Zsseq3a8VlU6WVExRi58"


def duty_of(roles: Collection[str]) -> str | None:
    """The one duty that these roles share; None for roles that exclude each other, unknown ones, or none."""
    duties = {DUTIES.get(role, "") for role in roles}
    return duties.pop() or None if len(duties) == 1 else None


def hash_password(password: str) -> str:
    return _HASHER.hash(password)


def is_password(password: str, stored: str | None) -> bool:
    """Whether the password is the stored one; takes its time also where nothing is stored."""
    try:
        return _HASHER.verify(stored or _NOBODY, password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def totp_step(secret: str, code: str, now: datetime) -> int | None:
    """The time step (RFC 6238) whose one-time password this is, one step off allowed; None if it is none."""
    totp, current = pyotp.TOTP(secret), int(now.timestamp()) // TOTP_STEP_S
    for step in range(current - TOTP_DRIFT, current + TOTP_DRIFT + 1):
        if compare_digest(totp.at(step * TOTP_STEP_S), code):
            return step
    return None
