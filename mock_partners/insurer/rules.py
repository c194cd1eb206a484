"""Adjudication as arithmetic: billed -> covered -> deductible -> ratio -> approved, per line, to the fen.

All amounts are integer fen. The patient's own part of a bill (`borne_fen`) is spread over its lines by the largest
remainder; a declined line covers nothing; the deductible is taken line by line in order; the bill's sum times the
ratio is rounded half up and spread over its lines again; what exceeds a cap is taken back from the last lines.
Return lines (negative) go the same way, so that a returned item cancels what it returns.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from mock_partners.insurer.reasons import Reason, of

NO_CEILING_FEN = 10**15


@dataclass(frozen=True)
class Line:
    """One fee line as billed, and every reason why the policy does not cover it."""

    line_no: int
    billed_fen: int
    declines: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class Bill:
    """One bill of a claim. `max_fen` is what other policies have left of it, None if nobody else paid."""

    clearing_no: str
    borne_fen: int
    lines: tuple[Line, ...]
    max_fen: int | None = None


@dataclass(frozen=True)
class Terms:
    """What the policy still has: deductible and ceiling are the amounts left."""

    ratio: Decimal
    deductible_fen: int = 0
    ceiling_fen: int = NO_CEILING_FEN


@dataclass
class Verdict:
    """What became of one line."""

    clearing_no: str
    line_no: int
    billed_fen: int
    covered_fen: int
    deductible_fen: int = 0
    approved_fen: int = 0
    reasons: list[Reason] = field(default_factory=list)


def adjudicate(bills: tuple[Bill, ...], terms: Terms) -> list[Verdict]:
    """One verdict per line, in the order of bills and lines; the approved amount of the claim is their sum."""
    verdicts: list[Verdict] = []
    deductible_left, ceiling_left = terms.deductible_fen, terms.ceiling_fen
    for bill in bills:
        lines = _covered(bill)
        deductible_left -= _deduct(lines, deductible_left)
        _apply_ratio(lines, terms.ratio)
        if bill.max_fen is not None:
            _cut(lines, bill.max_fen, "paid_elsewhere")
        _cut(lines, ceiling_left, "ceiling")
        ceiling_left -= sum(line.approved_fen for line in lines)
        verdicts += lines
    return verdicts


def apportion(total: int, quotas: list[Fraction]) -> list[int]:
    """Integers that add up to `total`, each the floor or the ceiling of its quota; the largest remainders win.

    `total` must lie between the sum of the floors and the sum of the ceilings. Ties go to the earlier place.
    """
    shares = [quota.__floor__() for quota in quotas]
    by_remainder = sorted(range(len(quotas)), key=lambda i: (shares[i] - quotas[i], i))
    for place in by_remainder[: total - sum(shares)]:
        shares[place] += 1
    return shares


def round_half_up(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _covered(bill: Bill) -> list[Verdict]:
    total = sum(line.billed_fen for line in bill.lines)
    factor = Fraction(bill.borne_fen, total) if total else Fraction(0)
    shares = apportion(bill.borne_fen if total else 0, [line.billed_fen * factor for line in bill.lines])
    verdicts = [_verdict(bill, line, share) for line, share in zip(bill.lines, shares, strict=True)]
    if sum(v.covered_fen for v in verdicts) < 0:
        for verdict in verdicts:
            verdict.covered_fen = 0
            verdict.reasons.append(of("returns_exceed"))
    _take_back(verdicts, sum(v.covered_fen for v in verdicts) - bill.borne_fen)
    return verdicts


def _verdict(bill: Bill, line: Line, share: int) -> Verdict:
    verdict = Verdict(bill.clearing_no, line.line_no, line.billed_fen, 0 if line.declines else share)
    verdict.reasons.extend(line.declines)
    if share < line.billed_fen:
        verdict.reasons.append(of("paid_by_fund", line.billed_fen - share))
    return verdict


def _take_back(verdicts: list[Verdict], surplus_fen: int) -> None:
    """Returns of lines that are not covered lower what the patient bore for those that are."""
    for verdict in reversed(verdicts):
        taken = min(max(verdict.covered_fen, 0), max(surplus_fen, 0))
        if taken:
            verdict.covered_fen -= taken
            surplus_fen -= taken
            verdict.reasons.append(of("returns_exceed", taken))


def _deduct(verdicts: list[Verdict], deductible_fen: int) -> int:
    """Takes the deductible from the lines in order; returns how much of it is used."""
    left = used = min(deductible_fen, sum(v.covered_fen for v in verdicts))
    for verdict in verdicts:
        taken = min(max(verdict.covered_fen, 0), left)
        if taken:
            verdict.deductible_fen = taken
            verdict.reasons.append(of("deductible", taken))
            left -= taken
    return used


def _apply_ratio(verdicts: list[Verdict], ratio: Decimal) -> None:
    bases = [v.covered_fen - v.deductible_fen for v in verdicts]
    total = round_half_up(Decimal(sum(bases)) * ratio)
    for verdict, base, approved in zip(
        verdicts, bases, apportion(total, [base * Fraction(ratio) for base in bases]), strict=True
    ):
        verdict.approved_fen = approved
        if approved != base:
            verdict.reasons.append(of("ratio", ratio=ratio))


def _cut(verdicts: list[Verdict], cap_fen: int, code: str) -> None:
    surplus = sum(v.approved_fen for v in verdicts) - max(cap_fen, 0)
    for verdict in reversed(verdicts):
        taken = min(max(verdict.approved_fen, 0), max(surplus, 0))
        if taken:
            verdict.approved_fen -= taken
            surplus -= taken
            verdict.reasons.append(of(code, taken))
