"""What a comparison found, in the words of the domain: sets, totals, and every row that does not agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date

import polars as pl

from app.reconciliation.engine.found import SETS
from app.reconciliation.engine.ledger import HOSPITAL, INSURER, PARTIES, PLATFORM, exact_sum

# Which parties each of the totals is about.
PAIRS: Mapping[str, tuple[str, ...]] = {
    "hospital_platform": (HOSPITAL, PLATFORM),
    "platform_insurer": (PLATFORM, INSURER),
}
SCOPES: Mapping[str, tuple[str, ...]] = {**PAIRS, "three_party": PARTIES}
# Whose amount counts in a total: the platform's where it has the number, else the insurer's, else the hospital's.
_AMOUNT_OF = (PLATFORM, INSURER, HOSPITAL)


@dataclass(frozen=True)
class Totals:
    """Over the union of the parties concerned. A row succeeds if all of them have it with equal amount and status."""

    count: int
    amount_fen: int
    success_count: int
    success_amount_fen: int

    @property
    def failure_count(self) -> int:
        return self.count - self.success_count

    @property
    def failure_amount_fen(self) -> int:
        return self.amount_fen - self.success_amount_fen

    def __add__(self, other: Totals) -> Totals:
        return Totals(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))

    def as_json(self) -> dict[str, int]:
        names = ("count", "amount_fen", "success_count", "success_amount_fen", "failure_count", "failure_amount_fen")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Statement:
    """The figures of a whole day, or of one hospital and one insurer.

    `sets`: distinct numbers by presence at hospital, platform, insurer. `amount_differs`, `status_differs`: numbers
    that two or three parties have, with amounts (statuses) not all equal. `totals`: one for each of SCOPES.
    """

    sets: dict[str, int]
    amount_differs: int
    status_differs: int
    totals: dict[str, Totals]

    def __add__(self, other: Statement) -> Statement:
        return Statement(
            {name: self.sets[name] + other.sets[name] for name in SETS},
            self.amount_differs + other.amount_differs,
            self.status_differs + other.status_differs,
            {name: self.totals[name] + other.totals[name] for name in SCOPES},
        )

    def pair(self, name: str) -> tuple[int, int, int]:
        """Numbers at the first party of a pair only, at the second only, at both."""
        first, second = (PARTIES.index(party) for party in PAIRS[name])
        counts = {"10": 0, "01": 0, "11": 0, "00": 0}
        for marks, count in self.sets.items():
            counts[marks[first] + marks[second]] += count
        return counts["10"], counts["01"], counts["11"]


@dataclass(frozen=True)
class PartyCount:
    """Rows that a party handed in: rows = distinct + duplicate_rows + bad_rows, and the same in fen.

    `duplicates`: how many numbers it has more than once. `bad_fen`: of those bad rows whose amount can be read.
    """

    rows: int
    distinct: int
    duplicates: int
    duplicate_rows: int
    bad_rows: int
    readable_fen: int
    distinct_fen: int
    duplicate_fen: int
    bad_fen: int

    def __add__(self, other: PartyCount) -> PartyCount:
        return PartyCount(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))


@dataclass(frozen=True)
class Outcome:
    """What became of three ledgers.

    `differences`: every number on which not all three parties agree, in order: clearing_no, set, for each party
    `<party>_fen` and `<party>_status` (null where it has none), amount_differs, status_differs, and hospital and
    insurer if a ledger names them. `duplicate_rows`: party, clearing_no, line, amount_fen, status. `bad_rows`: party,
    line, reason, amount_fen. `groups`: a statement for each (hospital, insurer); empty unless a ledger names them.
    """

    day: date
    overall: Statement
    groups: dict[tuple[str | None, str | None], Statement]
    parties: dict[str, PartyCount]
    differences: pl.DataFrame
    duplicate_rows: pl.DataFrame
    bad_rows: pl.DataFrame

    @property
    def balanced(self) -> bool:
        return self.differences.is_empty() and self.duplicate_rows.is_empty() and self.bad_rows.is_empty()


def combine(outcomes: Sequence[Outcome]) -> Outcome:
    """One outcome of parts of a day that have no number in common, as when workers share it segment by segment."""
    groups: dict[tuple[str | None, str | None], Statement] = {}
    for outcome in outcomes:
        for name, statement in outcome.groups.items():
            groups[name] = groups[name] + statement if name in groups else statement
    first, *others = outcomes
    parties = {party: sum((one.parties[party] for one in others), first.parties[party]) for party in PARTIES}
    return Outcome(
        first.day,
        sum((one.overall for one in others), first.overall),
        groups,
        parties,
        pl.concat([one.differences for one in outcomes], how="diagonal").sort("clearing_no"),
        pl.concat([one.duplicate_rows for one in outcomes]),
        pl.concat([one.bad_rows for one in outcomes]),
    )


def make_statement(agreed_count: int, agreed_fen: int, differences: pl.DataFrame) -> Statement:
    """`agreed_count` numbers of `agreed_fen` on which all three agree, and the differences beside them."""
    by_set = dict(differences.group_by("set").len().iter_rows())
    sets = {name: by_set.get(name, 0) for name in SETS}
    sets["111"] += agreed_count
    return Statement(
        sets,
        int(differences["amount_differs"].sum()),
        int(differences["status_differs"].sum()),
        {name: _totals(agreed_count, agreed_fen, differences, concerned) for name, concerned in SCOPES.items()},
    )


def _totals(agreed_count: int, agreed_fen: int, differences: pl.DataFrame, concerned: tuple[str, ...]) -> Totals:
    amount = pl.coalesce(f"{party}_fen" for party in _AMOUNT_OF if party in concerned)
    rows = differences.select(amount=amount, success=_agree(concerned)).filter(pl.col("amount").is_not_null())
    successes = rows.filter("success")
    return Totals(
        agreed_count + len(rows),
        agreed_fen + exact_sum(rows["amount"]),
        agreed_count + len(successes),
        agreed_fen + exact_sum(successes["amount"]),
    )


def _agree(concerned: tuple[str, ...]) -> pl.Expr:
    """All of them have the row, with equal amount and status."""
    first, *others = concerned
    same = [pl.col(f"{first}_{what}") == pl.col(f"{party}_{what}") for party in others for what in ("fen", "status")]
    return pl.all_horizontal(same).fill_null(False)
