"""Whose statement a row belongs to: the hospital and the insurer that ledgers may name in columns of their own."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from app.reconciliation.engine.ledger import HOSPITAL, INSURER, OWNERS, PARTIES, PLATFORM, Ledger

# Who is asked first for a row's hospital and insurer: the platform knows both, a partner at least itself.
_ASKED = {HOSPITAL: (PLATFORM, HOSPITAL, INSURER), INSURER: (PLATFORM, INSURER, HOSPITAL)}


def refuse_strangers(ledgers: Sequence[Ledger]) -> list[Ledger]:
    """Declare bad (reason `owner`) what a hospital or insurer hands in under a number that the platform gave another.

    Without this, one partner's row could stand in for the row that another partner failed to hand in.
    """
    platform = ledgers[PARTIES.index(PLATFORM)]
    checked = []
    for party, ledger in zip(PARTIES, ledgers, strict=True):
        if party != PLATFORM and party in ledger.rows.columns and party in platform.rows.columns:
            true_owner = _owner(ledger.rows["number"], platform, party)
            is_strange = (ledger.rows[party] != true_owner).fill_null(False)
            ledger = ledger.refuse(is_strange, "owner") if is_strange.any() else ledger
        checked.append(ledger)
    return checked


def with_owners(frame: pl.DataFrame, ledgers: Sequence[Ledger]) -> pl.DataFrame:
    """`frame`, which has a column number, with the columns of OWNERS if any ledger carries them."""
    named = any(column in ledger.rows.columns for ledger in ledgers for column in OWNERS)
    for column in OWNERS if named else ():
        known = pl.Series(column, [None], dtype=pl.String).new_from_index(0, len(frame))
        for ledger in (ledgers[PARTIES.index(party)] for party in _ASKED[column]):
            if column in ledger.rows.columns and known.null_count():
                known = pl.select(pl.coalesce(known, _owner(frame["number"], ledger, column))).to_series()
        frame = frame.with_columns(known.alias(column))
    return frame


def _owner(numbers: pl.Series, ledger: Ledger, column: str) -> pl.Series:
    """What the ledger says for each of the numbers, null where it has none."""
    owners = ledger.rows.select("number", column).unique("number", keep="first")
    return numbers.to_frame("number").join(owners, on="number", how="left", maintain_order="left")[column]
