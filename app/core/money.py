"""Money is an integer number of fen. Partners that speak yuan are parsed exactly; every rounding is named."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal

_YUAN = re.compile(r"-?[0-9]{1,13}(?:\.([0-9]+))?", re.ASCII)


def fen_from_yuan(text: str) -> int:
    """'12.30' -> 1230. ValueError for anything that is not an exact number of fen ('0.00000' is 0)."""
    match = _YUAN.fullmatch(text)
    if match is None or (match[1] or "")[2:].strip("0"):
        raise ValueError("not an exact amount in yuan")
    return int(Decimal(text) * 100)


def yuan(amount_fen: int) -> str:
    """1230 -> '12.30'."""
    sign, fen = ("-", -amount_fen) if amount_fen < 0 else ("", amount_fen)
    return f"{sign}{fen // 100}.{fen % 100:02d}"


def round_half_up(amount: Decimal) -> int:
    """Fen, halves away from zero (四舍五入)."""
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))


def line_amount_fen(unit_price_yuan: Decimal, quantity: Decimal) -> int:
    return round_half_up(unit_price_yuan * quantity * 100)


def share_out(amount_fen: int, weights: list[int]) -> list[int]:
    """Split `amount_fen` (>= 0) by `weights` (>= 0); the largest remainders take the odd fen, first one first"""
    total = sum(weights)
    if amount_fen < 0 or total <= 0 or min(weights) < 0:
        raise ValueError("nothing to share out by")
    shares = [amount_fen * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(amount_fen * weights[i] % total), i))
    for i in by_remainder[: amount_fen - sum(shares)]:
        shares[i] += 1
    return shares
