"""What the comparison of some rows found, before it is put into words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.reconciliation.engine.clearing_numbers import Numbers
from app.reconciliation.engine.words import Words

# By presence at hospital, platform, insurer. The published method names six; 101 is the one it forgets.
SETS = ("111", "110", "101", "100", "011", "010", "001")


@dataclass(frozen=True)
class Found:
    """Counts of the seven sets; the numbers on which not all three parties agree, with each party's word for them
    (0 where it has none); and for each party the rows that repeat a number it had before."""

    sets: dict[str, int]
    numbers: Numbers
    words: tuple[Words, ...]
    repeated: tuple[NDArray[np.intp], ...]


def merge(parts: Sequence[Found], dtype: type[np.uint32] | type[np.uint64]) -> Found:
    """Of parts that have no number in common."""
    sets = {name: sum(part.sets[name] for part in parts) for name in SETS}
    no_numbers, no_words, no_rows = np.empty(0, np.uint64), np.empty(0, dtype), np.empty(0, np.intp)
    return Found(
        sets,
        np.concatenate([no_numbers, *(part.numbers for part in parts)]),
        tuple(np.concatenate([no_words, *(part.words[party] for part in parts)]) for party in range(3)),
        tuple(np.concatenate([no_rows, *(part.repeated[party] for part in parts)]) for party in range(3)),
    )
