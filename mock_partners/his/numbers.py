"""Numbers that the invented people and papers carry: identity numbers, phones, digests; amounts in yuan and fen."""

from __future__ import annotations

import hashlib
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_REGIONS = ("110101", "310104", "320102", "330106", "350203", "420106", "440305", "510107", "610113", "653101")
_PHONE_PREFIXES = ("136", "137", "138", "139", "150", "158", "166", "177", "186", "199")
_FEN = Decimal("0.01")


def identity_number(birth_date: date, sex: str, ordinal: int) -> str:
    """A resident identity number (GB 11643-1999) that fits birth date and sex.

    Distinct for distinct ordinals below 4,990 born on one day; the sequence's last digit is odd for males.
    """
    region = _REGIONS[ordinal // 499 % len(_REGIONS)]
    sequence = 2 * (ordinal % 499) + (3 if sex == "male" else 2)
    body = f"{region}{birth_date:%Y%m%d}{sequence:03d}"
    return body + identity_check(body)


def identity_check(body: str) -> str:
    """The check character of GB 11643-1999 (ISO 7064 MOD 11-2) over 17 digits."""
    return _CHECKS[sum(int(d) * w for d, w in zip(body, _WEIGHTS, strict=True)) % 11]


def is_identity_number(number: str) -> bool:
    """Eighteen ASCII characters, a real birth date, the right check character."""
    if len(number) != 18 or not number.isascii() or not number[:17].isdigit():
        return False
    return birth_date_of(number) is not None and identity_check(number[:17]) == number[17]


def birth_date_of(number: str) -> date | None:
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def sex_of(number: str) -> str:
    return "male" if int(number[16]) % 2 else "female"


def phone(ordinal: int) -> str:
    """An eleven-digit mobile number, distinct for distinct ordinals below ten million."""
    return f"{_PHONE_PREFIXES[ordinal % len(_PHONE_PREFIXES)]}{(ordinal * 7_919 + 20_260_000) % 100_000_000:08d}"


def digest(*parts: object) -> str:
    """Hex SHA-256 of the parts: the source of every number that must be stable but may be arbitrary."""
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()


def digits(length: int, *parts: object) -> str:
    """`length` (at most 18) decimal digits derived from the parts."""
    return f"{int(digest(*parts)[:16], 16) % 10**length:0{length}d}"


def yuan(amount: Decimal) -> Decimal:
    """Round half up to whole fen, in yuan."""
    return amount.quantize(_FEN, ROUND_HALF_UP)


def to_fen(amount: Decimal) -> int:
    """Yuan to fen; raises ValueError if it is not a whole number of fen."""
    whole = int(amount * 100)
    if whole != amount * 100:
        raise ValueError("an amount with a fraction of a fen")
    return whole


def to_yuan(amount_fen: int) -> Decimal:
    return Decimal(amount_fen).scaleb(-2)
