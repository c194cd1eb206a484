"""Amount and status as one machine word, so that two rows agree if and only if their words are equal. 0 is "no row"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from app.reconciliation.engine.clearing_numbers import CHUNK
from app.reconciliation.engine.ledger import Ledger

Words = NDArray[np.unsignedinteger]
_PEELED = 8  # statuses looked for one by one before a dictionary is built; in practice there are three or four


@dataclass(frozen=True)
class Packing:
    """word = 1 + amount * len(statuses) + position of the status, in 4 bytes if all fit, else in 8.

    If they do not even fit in 8 bytes, `pairs` lists every (amount, code) there is and a word is 1 + its position.
    """

    statuses: tuple[str, ...]
    dtype: type[np.uint32] | type[np.uint64]
    pairs: pl.DataFrame | None = None

    def pack(self, amounts: NDArray[np.int64], codes: NDArray[np.uint32]) -> Words:
        if self.pairs is not None:
            rows = pl.DataFrame({"amount_fen": amounts, "code": codes})
            joined = rows.join(self.pairs, on=["amount_fen", "code"], how="left", maintain_order="left")
            return joined["word"].to_numpy()
        words = np.empty(len(amounts), dtype=self.dtype)
        for start in range(0, len(amounts), CHUNK):
            part = slice(start, start + CHUNK)
            words[part] = amounts[part].astype(self.dtype)
            words[part] *= self.dtype(len(self.statuses))
            words[part] += codes[part].astype(self.dtype)
            words[part] += self.dtype(1)
        return words

    def unpack(self, words: Words) -> tuple[pl.Series, pl.Series]:
        """Amounts (Int64) and statuses (String) of some words; null where there is no row."""
        present = words != 0
        if self.pairs is not None:
            places = np.where(present, words - self.dtype(1), self.dtype(0)).astype(np.int64)
            amounts, codes = (self.pairs[name].to_numpy()[places] for name in ("amount_fen", "code"))
        else:
            amounts, codes = np.divmod(np.where(present, words, 1) - self.dtype(1), self.dtype(len(self.statuses)))
        names = pl.Series(self.statuses, dtype=pl.String).gather(codes.astype(np.uint32))
        frame = pl.DataFrame({"present": present, "amount": amounts.astype(np.int64), "status": names})
        given = frame.select(pl.when("present").then(pl.col("amount", "status")))
        return given["amount"], given["status"]


def pack(ledgers: Sequence[Ledger]) -> tuple[Packing, list[Words]]:
    """One packing for all ledgers, and the words of each ledger's rows, shape (rows,)."""
    names, codes = encode([ledger.rows["status"] for ledger in ledgers])
    amounts = [ledger.rows["amount_fen"].to_numpy() for ledger in ledgers]
    packing = _choose(names, amounts, codes)
    return packing, [packing.pack(*pair) for pair in zip(amounts, codes, strict=True)]


def encode(columns: Sequence[pl.Series]) -> tuple[tuple[str, ...], list[NDArray[np.uint32]]]:
    """All distinct texts of some columns, and each column as positions among them."""
    names: list[str] = []
    codes = []
    for column in columns:
        found = _peel(column, names)
        if found is None:
            return _encode_by_dictionary(columns)
        codes.append(found)
    return tuple(names), codes


def _peel(column: pl.Series, names: list[str]) -> NDArray[np.uint32] | None:
    """Positions in `names`, which grows by new texts; None if there are many. Quick where few texts are frequent."""
    codes = np.zeros(len(column), dtype=np.uint32)
    rows: NDArray[np.intp] | None = None
    tried = 0
    while len(column):
        if tried == len(names):
            names.append(column[0])
        if tried == _PEELED:
            return None
        different = (column != names[tried]).to_numpy()
        tried += 1
        rows = np.flatnonzero(different) if rows is None else rows[different]
        column = column.filter(pl.Series(different))
        codes[rows] = tried
    return codes


def _encode_by_dictionary(columns: Sequence[pl.Series]) -> tuple[tuple[str, ...], list[NDArray[np.uint32]]]:
    distinct = pl.concat([column.unique() for column in columns]).unique().sort()
    dictionary = pl.Enum(distinct)
    return tuple(distinct), [column.cast(dictionary).to_physical().cast(pl.UInt32).to_numpy() for column in columns]


def _choose(
    names: tuple[str, ...], amounts: Sequence[NDArray[np.int64]], codes: Sequence[NDArray[np.uint32]]
) -> Packing:
    greatest = max((int(column.max()) for column in amounts if len(column)), default=0)
    words = (greatest + 1) * max(1, len(names))
    if words < 2**64:
        return Packing(names or ("",), np.uint32 if words < 2**32 else np.uint64)
    frames = [pl.DataFrame({"amount_fen": a, "code": c}) for a, c in zip(amounts, codes, strict=True)]
    pairs = pl.concat(frames).unique().sort("amount_fen", "code")
    return Packing(names, np.uint64, pairs.with_columns(word=pl.int_range(1, len(pairs) + 1, dtype=pl.UInt64)))
