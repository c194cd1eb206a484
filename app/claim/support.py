"""How much of a decision its bills still carry after the hospital has amended them.

The insurer is not asked again; what it has decided is applied to what the bill says now, and only downwards:

1. A line carries what it was billed with, less what has gone since: its own amount lowered, the item returned under a
   new line of the same code, or the line gone. What was taken from one line and put on a new one of the same code has
   not gone. A line that has grown, and a new item, carry nothing more: nobody has judged them.
2. Of what has gone, the line's covered share has gone (the fund bears its part of every fen).
3. Nothing is covered beyond what the patient bears now; the surplus goes from the last lines.
4. A bill comes to what it came to before caps, less covered × ratio of what has gone, rounded half up. A deductible
   stands: where a bill cannot carry its own any more, the claim's other bills do, the last first.
5. Caps (a ceiling, what others have paid) took away what lay above; what has gone comes off that first. So a bill keeps
   at most what was approved for it, and at most what earlier claims leave of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from app.claim import arithmetic
from app.claim.shown import Bill, Line


@dataclass(frozen=True)
class Amended:
    """A bill that has changed: as it was shown, as it is now, and what earlier claims leave of it now."""

    shown: Bill
    now: Bill
    left_fen: int


@dataclass(frozen=True)
class Judged:
    """One bill of a claim, with its lines of the standing decision; `amended` is None if it is as it was shown."""

    clearing_no: str
    lines: Sequence[arithmetic.Line]
    amended: Amended | None

    @property
    def approved_fen(self) -> int:
        return sum(line.approved_fen for line in self.lines)


def supported_fen(bills: Sequence[Judged]) -> dict[str, int]:
    """What each bill keeps of what was approved for it, by clearing number."""
    worth = {bill.clearing_no: _worth_fen(bill) for bill in bills}
    missing_fen = -sum(min(0, fen) for fen in worth.values())
    kept: dict[str, int] = {}
    for bill in reversed(bills):
        worth_fen = max(0, worth[bill.clearing_no])
        given_fen = min(worth_fen, missing_fen)
        missing_fen -= given_fen
        limits_fen = [worth_fen - given_fen, bill.approved_fen]
        if bill.amended is not None:  # rounding may leave half a fen to a bill of which nothing is left
            limits_fen += [bill.amended.left_fen, bill.amended.now.borne_fen]
        kept[bill.clearing_no] = max(0, min(limits_fen))
    return kept


def _worth_fen(bill: Judged) -> int:
    """Before caps; negative where the deductible is more than is left of the bill."""
    worth_fen = sum(line.before_caps_fen for line in bill.lines)
    if bill.amended is None:
        return worth_fen
    return floor(worth_fen - _lost(bill.lines, bill.amended) + Fraction(1, 2))


def _lost(lines: Sequence[arithmetic.Line], bill: Amended) -> Fraction:
    """Fen, exact: what is covered no more, by the ratio."""
    gone = gone_fen(bill.shown.lines, bill.now.lines)
    lost = {line.line_no: Fraction(line.covered_fen * gone[line.line_no], line.billed_fen or 1) for line in lines}
    covered_fen = sum(line.covered_fen for line in lines)
    bound_fen = bill.now.borne_fen + max(0, covered_fen - bill.shown.borne_fen)
    surplus = covered_fen - sum(lost.values()) - bound_fen
    for line in reversed(lines):
        taken = min(max(Fraction(0), line.covered_fen - lost[line.line_no]), max(Fraction(0), surplus))
        lost[line.line_no] += taken
        surplus -= taken
    return sum((lost[line.line_no] * Fraction(line.ratio) for line in lines), Fraction(0))


def gone_fen(before: Sequence[Line], now: Sequence[Line]) -> Mapping[int, int]:
    """How much less each line is billed now, by line number; see 1. above."""
    same = {(line.line_no, line.code): line.amount_fen for line in now}
    gone = {line.line_no: max(0, line.amount_fen - same.get((line.line_no, line.code), 0)) for line in before}
    known = {(line.line_no, line.code) for line in before}
    added: Counter[str] = Counter()
    for line in now:
        if (line.line_no, line.code) not in known:
            added[line.code] += line.amount_fen
    for line in reversed(before):
        put_fen = added[line.code]
        if put_fen > 0:
            moved_fen = -min(put_fen, gone[line.line_no])
        else:
            moved_fen = min(-put_fen, max(0, line.amount_fen - gone[line.line_no]))
        gone[line.line_no] += moved_fen
        added[line.code] += moved_fen
    return gone
