"""The numbers of the domain: ids in URLs, claim and clearing numbers, partners' numbers, identity documents."""

from __future__ import annotations

import re
import secrets
from datetime import date
from uuid import UUID

import uuid_utils.compat as uuid_utils
from uuid_utils import uuid7

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


def new_id() -> UUID:
    """UUIDv7 (RFC 9562): sortable by time, 74 random bits, so it cannot be guessed from a neighbour."""
    return uuid_utils.uuid7()


def new_ids(count: int) -> list[str]:
    """Many of them, in rising order, as hex: to make UUID objects of them takes longer than to make them."""
    return [uuid7().hex for _ in range(count)]


def luhn_digit(digits: str) -> str:
    """The check digit of ISO/IEC 7812-1 annex B over `digits`."""
    total = 0
    for place, char in enumerate(reversed(digits)):
        value = int(char) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def clearing_number(day: date, ordinal: int) -> str:
    """19 digits: yyyymmdd, ten-digit ordinal, Luhn check digit; dense within a business date."""
    body = f"{day:%Y%m%d}{ordinal:010d}"
    return body + luhn_digit(body)


def claim_number(day: date, ordinal: int) -> str:
    return "CL" + clearing_number(day, ordinal)


def partner_number(prefix: str) -> str:
    """A number for a partner's idempotency key: 24 to 32 characters, lower-case letters and digits only."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(24))


def is_identity_number(number: str) -> bool:
    """A resident identity number with a real birth date and the check digit of GB 11643-1999 (ISO 7064 MOD 11-2)."""
    if re.fullmatch(r"[1-9][0-9]{16}[0-9X]", number, re.ASCII) is None:
        return False
    if _CHECK[sum(int(d) * w for d, w in zip(number, _WEIGHTS, strict=False)) % 11] != number[17]:
        return False
    try:
        birth_date_of(number)
    except ValueError:
        return False
    return True


def birth_date_of(identity_number: str) -> date:
    return date(int(identity_number[6:10]), int(identity_number[10:12]), int(identity_number[12:14]))


def sex_of(identity_number: str) -> str:
    return "male" if int(identity_number[16]) % 2 else "female"


def age_on(birth_date: date, day: date) -> int:
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))
