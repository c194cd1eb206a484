"""When a bill balances. Amounts in fen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from app.core.money import line_amount_fen

LINE_TOLERANCE_FEN = 1
# After that rows without a parent stay as they are until the hospital sends them again.
PARENT_PATIENCE = timedelta(hours=24)
REFUSALS = {
    "parts_do_not_add_up": "统筹、账户与自付之和不等于总额",
    "lines_do_not_add_up": "费用明细之和不等于总额",
    "line_amount_wrong": "明细金额不等于单价乘以数量",
    "line_numbers_repeat": "费用明细的行号重复",
    "patient_differs": "结算单与就诊不是同一位患者",
}


def line_is_right(unit_price: Decimal, quantity: Decimal, amount_fen: int) -> bool:
    """The hospital's own figure stands if it is round-half-up(price × quantity) give or take one fen."""
    return abs(line_amount_fen(unit_price, quantity) - amount_fen) <= LINE_TOLERANCE_FEN


@dataclass(frozen=True)
class BillSums:
    """A bill beside its lines: `parts_fen` = fund + account + self-pay, `lines_fen` the sum of the lines."""

    settled: bool
    total_fen: int
    parts_fen: int
    lines_fen: int
    lines_right: bool = True
    lines_distinct: bool = True
    same_patient: bool = True


def refusal(bill: BillSums) -> str | None:
    """Why a bill cannot be used, None if it balances. Before settlement its parts are not known yet."""
    if not bill.same_patient:
        return "patient_differs"
    if bill.settled and bill.parts_fen != bill.total_fen:
        return "parts_do_not_add_up"
    if bill.lines_fen != bill.total_fen:
        return "lines_do_not_add_up"
    if not bill.lines_distinct:
        return "line_numbers_repeat"
    return None if bill.lines_right else "line_amount_wrong"


def parent_pause(waited: timedelta) -> timedelta:
    """How long a batch rests until it looks for its missing parents again: longer the longer it has waited."""
    return min(max(waited / 4, timedelta(seconds=1)), timedelta(seconds=300))
