"""What `reconcile files` must answer, in plain Python from the words of its contract alone: an oracle that shares
neither code nor method with the product or the benchmark. Only the limit of an amount, 2**63 - 1 fen, is the product's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

PARTIES = ("hospital", "platform", "insurer")
SETS = ("111", "110", "101", "100", "011", "010", "001")
DIGITS = set("0123456789")
GREATEST_FEN = 2**63 - 1

Row = tuple[str, str, str]


def answer(books: dict[str, Sequence[Row]]) -> dict[str, object]:
    """`books[party]`: the text of clearing number, amount and status, row by row."""
    good = {party: [row for row in rows if _is_good(row)] for party, rows in books.items()}
    held = {party: _first_rows(rows) for party, rows in good.items()}
    times = {party: Counter(number for number, _, _ in rows) for party, rows in good.items()}
    everything = set().union(*held.values())
    sets = dict.fromkeys(SETS, 0)
    for number in everything:
        sets["".join("1" if number in held[party] else "0" for party in PARTIES)] += 1
    return {
        "sets": sets,
        "amount_differs": sum(len({h[number][0] for h in held.values() if number in h}) > 1 for number in everything),
        "status_differs": sum(len({h[number][1] for h in held.values() if number in h}) > 1 for number in everything),
        "duplicates": {party: sum(n > 1 for n in times[party].values()) for party in PARTIES},
        "duplicate_rows": {party: sum(n - 1 for n in times[party].values()) for party in PARTIES},
        "bad_rows": {party: len(books[party]) - len(good[party]) for party in PARTIES},
        "totals": {
            "hospital_platform": _totals(held, ("hospital", "platform")),
            "platform_insurer": _totals(held, ("platform", "insurer")),
            "three_party": _totals(held, PARTIES),
        },
    }


def _is_good(row: Row) -> bool:
    number, amount, status = row
    if len(number) != 19 or not set(number) <= DIGITS or _check_digit(number[:18]) != number[18]:
        return False
    return bool(amount) and set(amount) <= DIGITS and int(amount) <= GREATEST_FEN and status != ""


def _check_digit(body: str) -> str:
    """Luhn: from the right every other digit, the last of the body first, counts double, its digits added."""
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit)
        if place % 2 == 0:
            value = value * 2 if value < 5 else value * 2 - 9
        total += value
    return str((10 - total % 10) % 10)


def _first_rows(rows: Sequence[Row]) -> dict[str, tuple[int, str]]:
    held: dict[str, tuple[int, str]] = {}
    for number, amount, status in rows:
        held.setdefault(number, (int(amount), status))
    return held


def _totals(held: dict[str, dict[str, tuple[int, str]]], concerned: tuple[str, ...]) -> dict[str, int]:
    union = set().union(*(held[party] for party in concerned))
    amounts = {}
    for number in union:
        whose = next(p for p in ("platform", "insurer", "hospital") if p in concerned and number in held[p])
        amounts[number] = held[whose][number][0]
    agreed = {number for number in union if len({held[party].get(number) for party in concerned}) == 1}
    total_fen, success_fen = sum(amounts.values()), sum(amounts[number] for number in agreed)
    return {
        "count": len(union),
        "amount_fen": total_fen,
        "success_count": len(agreed),
        "success_amount_fen": success_fen,
        "failure_count": len(union) - len(agreed),
        "failure_amount_fen": total_fen - success_fen,
    }
