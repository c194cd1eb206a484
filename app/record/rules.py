"""When a bill balances. Amounts in fen."""

from __future__ import annotations

from decimal import Decimal

from app.core.money import line_amount_fen

LINE_TOLERANCE_FEN = 1
REFUSALS = {
    "parts_do_not_add_up": "统筹、账户与自付之和不等于总额",
    "lines_do_not_add_up": "费用明细之和不等于总额",
    "line_amount_wrong": "明细金额不等于单价乘以数量",
}


def line_is_right(unit_price: Decimal, quantity: Decimal, amount_fen: int) -> bool:
    """The hospital's own figure stands if it is round-half-up(price × quantity) give or take one fen."""
    return abs(line_amount_fen(unit_price, quantity) - amount_fen) <= LINE_TOLERANCE_FEN


def refusal(*, settled: bool, total_fen: int, parts_fen: int, lines_fen: int, lines_right: bool) -> str | None:
    """Why a bill cannot be used, None if it balances. Before settlement its parts are not known yet."""
    if settled and parts_fen != total_fen:
        return "parts_do_not_add_up"
    if lines_fen != total_fen:
        return "lines_do_not_add_up"
    return None if lines_right else "line_amount_wrong"
