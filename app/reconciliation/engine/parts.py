"""A night in parts that have no number in common: one for each dense segment, and one for all rows that lie elsewhere.

Each part is compared by itself, by any worker; `engine.outcome.combine` makes one outcome of theirs.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from app.reconciliation.engine.ledger import PARTIES, Ledger
from app.reconciliation.engine.segments import locate, plan

ELSEWHERE = "elsewhere"
_GOOD, _BAD = "rows", "bad_rows"


@dataclass(frozen=True)
class Part:
    """`name`: the segment's number, or ELSEWHERE. Bad rows stand in the last part."""

    name: str
    parties: Mapping[str, Ledger]

    @property
    def row_count(self) -> int:
        return sum(ledger.declared for ledger in self.parties.values())

    def dump(self) -> bytes:
        """A zip of Parquet files, `<party>/rows` and `<party>/bad_rows`."""
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            for party, ledger in self.parties.items():
                for name, frame in ((_GOOD, ledger.rows), (_BAD, ledger.bad_rows)):
                    with archive.open(f"{party}/{name}", "w", force_zip64=True) as file:
                        frame.write_parquet(file)
        return content.getvalue()


def load(content: bytes) -> dict[str, Ledger]:
    """The parties of a dumped part."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:

        def frame(name: str) -> pl.DataFrame:
            return pl.read_parquet(archive.read(name))

        return {party: Ledger(frame(f"{party}/{_GOOD}"), frame(f"{party}/{_BAD}")) for party in PARTIES}


def split(day: date, parties: Mapping[str, Ledger]) -> Iterator[Part]:
    """At least one part; together they hold every row once."""
    ledgers = [parties[name] for name in PARTIES]
    located = [locate(ledger.rows["number"].to_numpy(), day) for ledger in ledgers]
    planned = plan(located)
    for segment in planned.dense:
        rows = [ledger.rows[place.rows(segment)] for ledger, place in zip(ledgers, located, strict=True)]
        yield Part(
            str(segment), _named([Ledger(mine, led.bad_rows.clear()) for mine, led in zip(rows, ledgers, strict=True)])
        )
    rest = [led.rows[rows] for led, rows in zip(ledgers, planned.scattered_rows(), strict=True)]
    has_bad = any(len(ledger.bad_rows) for ledger in ledgers)
    if has_bad or any(len(rows) for rows in rest) or not planned.dense:
        yield Part(ELSEWHERE, _named([Ledger(mine, led.bad_rows) for mine, led in zip(rest, ledgers, strict=True)]))


def _named(ledgers: Sequence[Ledger]) -> dict[str, Ledger]:
    return dict(zip(PARTIES, ledgers, strict=True))
