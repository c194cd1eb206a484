"""Numbers that carry a check digit."""

from __future__ import annotations


def with_luhn(digits: str) -> str:
    """The digits with their Luhn check digit appended, as bank cards (ISO/IEC 7812-1) and clearing numbers have it."""
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits), 1))
    return digits + str(-sum(n // 10 + n % 10 for n in doubled) % 10)
