"""A dense segment, compared as arrays addressed by the ordinal: one bitmap of presence and one array of words a party.

The seven sets are BITOP NOT and AND of the bitmaps, counted by BITCOUNT. Rows that do not agree are where
(hospital XOR platform) OR (platform XOR insurer) of the words is not zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from app.reconciliation.engine.clearing_numbers import ORDINALS, day_prefix, with_check_digits
from app.reconciliation.engine.found import SETS, Found
from app.reconciliation.engine.ledger import HOSPITAL, INSURER, PARTIES, PLATFORM
from app.reconciliation.engine.segments import SEGMENT_SIZE, Rows, span
from app.reconciliation.engine.words import Words
from app.reconciliation.engine.workspace import EXPIRES_S, WorkingSetLost, Workspace


@dataclass(frozen=True)
class Part:
    """A party's rows in the segment: offsets and words, shape (rows,), and where they stand in its ledger."""

    offsets: NDArray[np.uint32]
    words: Words
    rows: Rows


@dataclass(frozen=True)
class _Array:
    """Shape (ordinals of the span,): each ordinal's word, from the first row that has it."""

    words: Words
    distinct: int
    repeated: NDArray[np.intp]


def compare_segment(workspace: Workspace, day: date, segment: int, parts: Sequence[Part]) -> Found:
    """`parts` in the order of PARTIES. Raises WorkingSetLost if Redis lost keys meanwhile."""
    low, high = span([part.offsets for part in parts])
    arrays = [_lay_out(part, low, high) for part in parts]
    _load(workspace, arrays)
    sets = _count_sets(workspace)
    places = _differing(workspace, arrays[0].words)
    if not workspace.is_whole():
        raise WorkingSetLost
    bodies = day_prefix(day) * ORDINALS + segment * SEGMENT_SIZE + low + places
    return Found(
        sets,
        with_check_digits(bodies.astype(np.int64)),
        tuple(array.words[places] for array in arrays),
        tuple(array.repeated for array in arrays),
    )


def _lay_out(part: Part, low: int, high: int) -> _Array:
    words = np.zeros(high - low, dtype=part.words.dtype)
    offsets = part.offsets - np.uint32(low)
    words[offsets] = part.words
    distinct = int(np.count_nonzero(words))
    if distinct == len(offsets):
        return _Array(words, distinct, np.empty(0, np.intp))
    rows = _rows_of_repeated(offsets, high - low)
    _, first = np.unique(offsets[rows], return_index=True)
    words[offsets[rows[first]]] = part.words[rows[first]]
    return _Array(words, distinct, _in_ledger(part.rows, np.delete(rows, first)))


def _rows_of_repeated(offsets: NDArray[np.uint32], size: int) -> NDArray[np.intp]:
    """All rows, in order, whose offset occurs more than once."""
    if (offsets[1:] >= offsets[:-1]).all():
        repeats = np.flatnonzero(offsets[1:] == offsets[:-1])
        return np.union1d(repeats, repeats + 1)
    is_repeated = np.bincount(offsets, minlength=size) > 1
    return np.flatnonzero(is_repeated.take(offsets))


def _in_ledger(rows: Rows, places: NDArray[np.intp]) -> NDArray[np.intp]:
    return places + rows.start if isinstance(rows, slice) else rows[places]


def _load(workspace: Workspace, arrays: Sequence[_Array]) -> None:
    """Presence and words of each party in one pipeline; a party without rows is zeros that Redis makes itself."""
    pipeline = workspace.redis.pipeline(transaction=False)
    for party, array in zip(PARTIES, arrays, strict=True):
        for name, content in (("present", np.packbits(array.words != 0)), ("words", array.words)):
            key = workspace.key("party", party, name)
            if array.distinct:
                pipeline.set(key, content.tobytes(), ex=EXPIRES_S)
            else:
                pipeline.setrange(key, content.nbytes - 1, b"\0")
                pipeline.expire(key, EXPIRES_S)
    pipeline.execute()


def _count_sets(workspace: Workspace) -> dict[str, int]:
    redis = workspace.redis
    sides: dict[tuple[str, str], str] = {}
    for party in PARTIES:
        sides[party, "1"] = workspace.key("party", party, "present")
        sides[party, "0"] = workspace.key("party", party, "absent")
        redis.bitop("NOT", sides[party, "0"], sides[party, "1"])
    keys = {name: workspace.key("set", name) for name in SETS}
    for name, key in keys.items():
        redis.bitop("AND", key, *(sides[side] for side in zip(PARTIES, name, strict=True)))
    workspace.expire([*sides.values(), *keys.values()])
    return {name: int(redis.bitcount(key)) for name, key in keys.items()}


def _differing(workspace: Workspace, like: Words) -> NDArray[np.intp]:
    """Places in the span where the three words are not all equal; `like` is one party's array."""
    redis = workspace.redis
    words = {party: workspace.key("party", party, "words") for party in PARTIES}
    left, right, either = (workspace.key("differs", name) for name in ("left", "right", "either"))
    redis.bitop("XOR", left, words[HOSPITAL], words[PLATFORM])
    redis.bitop("XOR", right, words[PLATFORM], words[INSURER])
    redis.bitop("OR", either, left, right)
    workspace.expire([left, right, either])
    if not redis.bitcount(either):
        return np.empty(0, np.intp)
    content = redis.get(either)
    if not isinstance(content, bytes) or len(content) != like.nbytes:
        raise WorkingSetLost
    return np.flatnonzero(np.frombuffer(content, dtype=like.dtype) != 0)
