"""Where each row of the three ledgers is compared: in the arrays of a segment, or in string sets.

A segment is 2**20 ordinals of the business date. A row goes to arrays if its segment is dense enough for them; rows of
other business dates, and the few that lie scattered over the ordinals, go to string sets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from app.reconciliation.engine.clearing_numbers import CHUNK, ORDINALS, Numbers, first_number

SEGMENT_BITS = 20
SEGMENT_SIZE = 1 << SEGMENT_BITS
# An ordinal costs 4 or 8 bytes of array per party, a member of a string set about a hundred bytes and far more work:
# with a row on every 256th ordinal both ways take the same time.
ORDINALS_PER_ROW = 256
# A segment costs some twenty round trips however few rows it has; many such segments are one bucket of string sets.
_FEW_ROWS = 256
_MOST_SMALL_SEGMENTS = 16
_OTHER_DAY = (1 << 16) - 1

Rows = NDArray[np.intp] | slice


def segment_numbers(day: date, segment: int) -> tuple[int, int]:
    """The first number of a segment of the business date and the first one after it."""
    first = first_number(day)
    end = min((segment + 1) * SEGMENT_SIZE, ORDINALS)
    return first + segment * SEGMENT_SIZE * 10, first + end * 10


@dataclass(frozen=True)
class Located:
    """For each row of a ledger its segment (uint16) and the ordinal's offset in it (uint32); `counts`, shape (65536,):
    rows in each segment."""

    segments: NDArray[np.uint16]
    offsets: NDArray[np.uint32]
    counts: NDArray[np.intp]

    @cached_property
    def _order(self) -> NDArray[np.intp] | None:
        """Rows by segment, in the ledger's order within each; None if they stand so already."""
        if bool((self.segments[1:] >= self.segments[:-1]).all()):
            return None
        return np.argsort(self.segments, kind="stable")

    @cached_property
    def _ends(self) -> NDArray[np.intp]:
        return np.cumsum(self.counts)

    def rows(self, segment: int) -> Rows:
        """The ledger's rows in a segment, as what may index its columns."""
        end = int(self._ends[segment])
        place = slice(end - int(self.counts[segment]), end)
        return place if self._order is None else self._order[place]


def locate(numbers: Numbers, day: date) -> Located:
    """The place of each number; those of other business dates are in no segment."""
    first, end = np.uint64(first_number(day)), np.uint64(ORDINALS * 10)
    segments = np.empty(len(numbers), dtype=np.uint16)
    offsets = np.empty(len(numbers), dtype=np.uint32)
    counts = np.zeros(_OTHER_DAY + 1, dtype=np.intp)
    for start in range(0, len(numbers), CHUNK):
        part = slice(start, start + CHUNK)
        distances = numbers[part] - first  # below the first they wrap around and become too large
        ordinals = distances // np.uint64(10)
        offsets[part] = ordinals & np.uint64(SEGMENT_SIZE - 1)
        segments[part] = ordinals >> np.uint64(SEGMENT_BITS)
        if distances.max() >= end:
            segments[part][distances >= end] = _OTHER_DAY
        least, greatest = int(segments[part].min()), int(segments[part].max())
        counts[least : greatest + 1] += (
            np.bincount(segments[part] - np.uint16(least)) if least < greatest else len(ordinals)
        )
    return Located(segments, offsets, counts)


@dataclass(frozen=True)
class Plan:
    """Which segments are compared as arrays; every other row is compared in string sets."""

    located: Sequence[Located]
    dense: tuple[int, ...]

    def scattered_rows(self) -> Iterator[NDArray[np.intp]]:
        """For each ledger the rows outside the dense segments."""
        in_arrays = np.zeros(_OTHER_DAY + 1, dtype=np.bool_)
        in_arrays[list(self.dense)] = True
        for ledger in self.located:
            yield np.flatnonzero(~in_arrays[ledger.segments])


def plan(located: Sequence[Located]) -> Plan:
    totals = np.sum([ledger.counts for ledger in located], axis=0)
    used = [int(segment) for segment in np.flatnonzero(totals[:_OTHER_DAY])]
    small = [segment for segment in used if totals[segment] < _FEW_ROWS]
    if len(small) > _MOST_SMALL_SEGMENTS:
        used = [segment for segment in used if totals[segment] >= _FEW_ROWS]
    dense = [segment for segment in used if _is_dense(located, segment, int(totals[segment]))]
    return Plan(located, tuple(dense))


def _is_dense(located: Sequence[Located], segment: int, count: int) -> bool:
    if count * ORDINALS_PER_ROW >= SEGMENT_SIZE:
        return True
    low, high = span([ledger.offsets[ledger.rows(segment)] for ledger in located])
    return count * ORDINALS_PER_ROW >= high - low


def span(offsets: Sequence[NDArray[np.uint32]]) -> tuple[int, int]:
    """The smallest range of ordinals that holds all rows and has whole bytes of a bitmap."""
    present = [column for column in offsets if len(column)]
    low = min(int(column.min()) for column in present) // 8 * 8
    high = max(int(column.max()) for column in present) // 8 * 8 + 8
    return low, high
