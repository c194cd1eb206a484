"""Does a decision add up to the fen? billed → covered → deductible → ratio → caps → approved.

What a line comes to is (covered − deductible) × ratio, rounded half up (四舍五入: halves away from zero), less its caps
(a ceiling that is used up, what another policy has paid). Insurers round each line for itself, or once for the bill and
spread the fen over its lines: then each line is the fen below or above what it comes to, and their sum is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal


@dataclass(frozen=True)
class Line:
    """One decided fee line. `cap_fen` is what its caps took away after the ratio."""

    clearing_no: str
    line_no: int
    billed_fen: int
    covered_fen: int
    deductible_fen: int
    ratio: Decimal
    cap_fen: int
    approved_fen: int

    @property
    def exact(self) -> Decimal:
        """Fen before rounding and caps."""
        return (self.covered_fen - self.deductible_fen) * self.ratio

    @property
    def before_caps_fen(self) -> int:
        return self.approved_fen + self.cap_fen


@dataclass(frozen=True)
class Fault:
    """The first thing that does not add up. `line_no` is None where it is the sum over a bill."""

    code: str
    clearing_no: str
    line_no: int | None
    why: str

    @property
    def place(self) -> str:
        return self.clearing_no if self.line_no is None else f"{self.clearing_no}/{self.line_no}"


def fault(lines: Sequence[Line]) -> Fault | None:
    """None if every line and every bill of a decision adds up."""
    by_bill: dict[str, list[Line]] = {}
    for line in lines:
        if not _never_grows(line):
            why = "0 <= deductible <= covered <= billed, caps and approved >= 0; a return the other way round, uncapped"
            return Fault("line_does_not_add_up", line.clearing_no, line.line_no, why)
        by_bill.setdefault(line.clearing_no, []).append(line)
    return next((found for mine in by_bill.values() if (found := _wrong_ratio(mine))), None)


def _never_grows(line: Line) -> bool:
    """A returned item (negative) takes back no more than it was billed for, and no cap makes it smaller."""
    if line.billed_fen < 0:
        amounts_fen = (line.billed_fen, line.covered_fen, line.approved_fen, 0)
        return line.billed_fen <= line.covered_fen and max(amounts_fen) == 0 == line.deductible_fen == line.cap_fen
    in_order = 0 <= line.deductible_fen <= line.covered_fen <= line.billed_fen
    return in_order and line.cap_fen >= 0 and line.approved_fen >= 0


def _wrong_ratio(lines: Sequence[Line]) -> Fault | None:
    """The lines of one bill against their ratios."""
    if all(line.before_caps_fen == half_up(line.exact) for line in lines):
        return None
    for line in lines:
        if abs(line.before_caps_fen - line.exact) >= 1:
            why = f"(covered - deductible) x ratio = {half_up(line.exact)}, approved + caps = {line.before_caps_fen}"
            return Fault("line_does_not_add_up", line.clearing_no, line.line_no, why)
    right_fen, said_fen = half_up(sum((line.exact for line in lines), Decimal())), sum(x.before_caps_fen for x in lines)
    if said_fen == right_fen:
        return None
    why = f"(covered - deductible) x ratio = {right_fen} over the bill, approved + caps = {said_fen}"
    return Fault("bill_does_not_add_up", lines[0].clearing_no, None, why)


def half_up(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))
