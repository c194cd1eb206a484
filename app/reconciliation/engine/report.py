"""From what the comparison found to the outcome: words become amounts and statuses, sums become totals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import combinations

import polars as pl

from app.reconciliation.engine.found import Found
from app.reconciliation.engine.ledger import OWNERS, PARTIES, PLATFORM, Ledger, exact_sum
from app.reconciliation.engine.outcome import Outcome, PartyCount, Statement, make_statement
from app.reconciliation.engine.owners import with_owners
from app.reconciliation.engine.words import Packing

_TEXT_NUMBER = pl.col("number").cast(pl.String).str.zfill(19).alias("clearing_no")


def assemble(day: date, ledgers: Sequence[Ledger], packing: Packing, found: Found) -> Outcome:
    """All parts in the order of PARTIES."""
    repeated = [ledger.rows[rows] for ledger, rows in zip(ledgers, found.repeated, strict=True)]
    pairs = zip(PARTIES, ledgers, repeated, strict=True)
    counts = {party: _count(ledger, extra) for party, ledger, extra in pairs}
    platform = counts[PLATFORM]
    differences = _differences(packing, found)
    in_differences = differences["platform_fen"].drop_nulls()
    agreed = platform.distinct - len(in_differences), platform.distinct_fen - exact_sum(in_differences)
    differences = with_owners(differences, ledgers)
    return Outcome(
        day,
        make_statement(*agreed, differences),
        _groups(ledgers, differences),
        counts,
        differences.select(_TEXT_NUMBER, pl.exclude("number")),
        _by_party([rows.select(_TEXT_NUMBER, "line", "amount_fen", "status") for rows in repeated]),
        _by_party([ledger.bad_rows for ledger in ledgers]),
    )


def _count(ledger: Ledger, repeated: pl.DataFrame) -> PartyCount:
    duplicate_fen, readable_fen = exact_sum(repeated["amount_fen"]), ledger.readable_fen
    bad_fen = exact_sum(ledger.bad_rows["amount_fen"])
    return PartyCount(
        rows=ledger.declared,
        distinct=len(ledger.rows) - len(repeated),
        duplicates=repeated["number"].n_unique(),
        duplicate_rows=len(repeated),
        bad_rows=len(ledger.bad_rows),
        readable_fen=readable_fen,
        distinct_fen=readable_fen - duplicate_fen - bad_fen,
        duplicate_fen=duplicate_fen,
        bad_fen=bad_fen,
    )


def _differences(packing: Packing, found: Found) -> pl.DataFrame:
    columns = {"number": pl.Series(found.numbers)}
    for party, words in zip(PARTIES, found.words, strict=True):
        columns[f"{party}_fen"], columns[f"{party}_status"] = packing.unpack(words)
    marks = (pl.when(pl.col(f"{party}_fen").is_null()).then(pl.lit("0")).otherwise(pl.lit("1")) for party in PARTIES)
    frame = pl.DataFrame(columns).with_columns(
        set=pl.concat_str(*marks), amount_differs=_differs("fen"), status_differs=_differs("status")
    )
    return frame.sort("number")


def _differs(what: str) -> pl.Expr:
    """Among those parties that have the row, not all have the same."""
    pairs = combinations([pl.col(f"{party}_{what}") for party in PARTIES], 2)
    return pl.any_horizontal(one != other for one, other in pairs).fill_null(False)


def _groups(ledgers: Sequence[Ledger], differences: pl.DataFrame) -> dict[tuple[str | None, str | None], Statement]:
    if not set(OWNERS) <= set(differences.columns):
        return {}
    platform = ledgers[PARTIES.index(PLATFORM)].rows.unique("number", keep="first")
    agreed = with_owners(platform.join(differences, on="number", how="anti").select("number", "amount_fen"), ledgers)
    sums = agreed.group_by(OWNERS).agg(pl.len(), pl.col("amount_fen").cast(pl.Int128).sum())
    agreements = {(hospital, insurer): (count, fen) for hospital, insurer, count, fen in sums.iter_rows()}
    parts = differences.partition_by(OWNERS, as_dict=True)
    names = sorted({*agreements, *parts}, key=lambda group: tuple(name or "" for name in group))
    nothing = differences.clear()
    return {name: make_statement(*agreements.get(name, (0, 0)), parts.get(name, nothing)) for name in names}


def _by_party(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    named = [frame.select(pl.lit(party).alias("party"), pl.all()) for party, frame in zip(PARTIES, frames, strict=True)]
    return pl.concat(named)
