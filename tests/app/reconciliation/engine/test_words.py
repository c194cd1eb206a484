"""Amount and status as one word: equal words if and only if both are equal, and the way back."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.reconciliation.engine import words
from app.reconciliation.engine.ledger import BAD_ROW_SCHEMA, Ledger

statuses = st.one_of(st.sampled_from(["success", "failed"]), st.text("abcdef", min_size=1, max_size=2))
amounts = st.one_of(st.integers(0, 9), st.integers(0, 2**40), st.integers(2**63 - 9, 2**63 - 1))
books = st.lists(st.tuples(amounts, statuses), max_size=30)


def _ledger(rows: list[tuple[int, str]]) -> Ledger:
    frame = pl.DataFrame(rows, schema={"amount_fen": pl.Int64, "status": pl.String}, orient="row")
    return Ledger(frame, pl.DataFrame(schema=BAD_ROW_SCHEMA))


@given(st.lists(books, min_size=3, max_size=3))
def test_words_are_equal_exactly_if_rows_are(found: list[list[tuple[int, str]]]) -> None:
    packing, packed = words.pack([_ledger(rows) for rows in found])
    pairs = [pair for rows in found for pair in rows]
    everything = np.concatenate(packed)
    assert 0 not in everything
    assert len(set(everything.tolist())) == len(set(pairs))
    amount, status = packing.unpack(everything)
    assert list(zip(amount, status, strict=True)) == pairs


@pytest.mark.parametrize(
    ("amount", "texts", "dtype", "listed"),
    [
        (10**8, ["a"], np.uint32, False),
        (2**33, ["a"], np.uint64, False),
        (2**62, ["a", "b", "c"], np.uint64, False),
        (2**63 - 1, ["a", "b"], np.uint64, True),
    ],
)
def test_words_are_as_narrow_as_they_can(amount: int, texts: list[str], dtype: type, listed: bool) -> None:
    packing, packed = words.pack([_ledger([(amount, text) for text in texts])])
    assert packing.dtype is dtype
    assert packed[0].dtype == dtype
    assert (packing.pairs is not None) == listed


def test_no_row_is_neither_amount_nor_status() -> None:
    packing, packed = words.pack([_ledger([(0, "a")])])
    amount, status = packing.unpack(np.append(packed[0], np.uint32(0)))
    assert (amount.to_list(), status.to_list()) == ([0, None], ["a", None])
