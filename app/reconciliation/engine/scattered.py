"""Rows that do not lie densely in the day, compared in string sets, as the published method compares all rows:
SADD by pipeline, then SINTERSTORE and SDIFFSTORE. A second set a party holds `number:word`, so that what is not in the
intersection of these three is what the parties do not agree on.

Numbers are shared out over buckets, compared one after the other, so that the working set stays small.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from app.reconciliation.engine.clearing_numbers import Numbers
from app.reconciliation.engine.found import SETS, Found
from app.reconciliation.engine.ledger import PARTIES
from app.reconciliation.engine.words import Words
from app.reconciliation.engine.workspace import WorkingSetLost, Workspace

ROWS_PER_BUCKET = 100_000  # of all parties together: about 50 MB in Redis
_MEMBERS_PER_COMMAND = 1000


@dataclass(frozen=True)
class Scattered:
    """A party's rows: numbers and words, shape (rows,), no number twice; `repeated` are the ledger's rows left out."""

    numbers: Numbers
    words: Words
    repeated: NDArray[np.intp]


def gather(numbers: Numbers, words: Words, rows: NDArray[np.intp]) -> Scattered:
    """The given rows of a ledger, of each number the first one."""
    chosen = numbers[rows]
    first = pl.Series(chosen).is_first_distinct().to_numpy()
    return Scattered(chosen[first], words[rows[first]], rows[~first])


def buckets(parties: Sequence[Scattered]) -> Iterator[tuple[Scattered, ...]]:
    """All parties' rows, number by number in the same bucket; the first bucket carries the repeated rows."""
    total = sum(len(party.numbers) for party in parties)
    count = -(-total // ROWS_PER_BUCKET)
    for bucket in range(count):
        chosen = [party.numbers % np.uint64(count) == bucket for party in parties]
        yield tuple(
            Scattered(party.numbers[mine], party.words[mine], party.repeated if bucket == 0 else np.empty(0, np.intp))
            for party, mine in zip(parties, chosen, strict=True)
        )


def compare_bucket(workspace: Workspace, parties: Sequence[Scattered]) -> Found:
    """`parties` in the order of PARTIES. Raises WorkingSetLost if Redis lost keys meanwhile."""
    sources = [_load(workspace, name, party) for name, party in zip(PARTIES, parties, strict=True)]
    numbers_keys, words_keys = zip(*sources, strict=True)
    sets = _count_sets(workspace, numbers_keys)
    agreed, unequal = _unequal(workspace, words_keys)
    for place, party in enumerate(parties):
        counts = {
            len(party.numbers),
            agreed + len(unequal[place][0]),
            sum(count for name, count in sets.items() if name[place] == "1"),
            *(int(workspace.redis.scard(key)) for key in sources[place]),
        }
        if len(counts) != 1:
            raise WorkingSetLost
    numbers = np.unique(np.concatenate([found for found, _ in unequal]))
    words = tuple(np.zeros(len(numbers), dtype=party.words.dtype) for party in parties)
    for column, (found, values) in zip(words, unequal, strict=True):
        column[np.searchsorted(numbers, found)] = values
    return Found(sets, numbers, words, tuple(party.repeated for party in parties))


def _load(workspace: Workspace, name: str, party: Scattered) -> tuple[str, str]:
    keys = workspace.key("party", name, "numbers"), workspace.key("party", name, "words")
    text = pl.Series(party.numbers).cast(pl.String).str.zfill(19)
    members = text, text + ":" + pl.Series(party.words).cast(pl.String)
    for start in range(0, len(text), _MEMBERS_PER_COMMAND * 10):
        pipeline = workspace.redis.pipeline(transaction=False)
        for part in range(start, min(start + _MEMBERS_PER_COMMAND * 10, len(text)), _MEMBERS_PER_COMMAND):
            for key, column in zip(keys, members, strict=True):
                pipeline.sadd(key, *column.slice(part, _MEMBERS_PER_COMMAND).to_list())
        pipeline.execute()
        workspace.expire(keys)
    return keys


def _count_sets(workspace: Workspace, keys: Sequence[str]) -> dict[str, int]:
    """Each set is what is at all the parties that its name marks 1, less what is at any of the others."""
    redis, counts = workspace.redis, {}
    for name in SETS:
        at = [key for key, mark in zip(keys, name, strict=True) if mark == "1"]
        not_at = [key for key, mark in zip(keys, name, strict=True) if mark == "0"]
        key = workspace.key("set", name)
        count = redis.sinterstore(key, at)
        counts[name] = int(redis.sdiffstore(key, [key, *not_at]) if not_at else count)
        workspace.expire([key])
    return counts


def _unequal(workspace: Workspace, keys: Sequence[str]) -> tuple[int, list[tuple[Numbers, NDArray[np.uint64]]]]:
    """How many rows all three agree on, and each party's numbers and words for the others."""
    redis = workspace.redis
    agreed = workspace.key("agreed")
    agreed_count = int(redis.sinterstore(agreed, list(keys)))
    unequal = []
    for name, key in zip(PARTIES, keys, strict=True):
        rest = workspace.key("party", name, "unequal")
        redis.sdiffstore(rest, [key, agreed])
        workspace.expire([agreed, rest])
        members = pl.Series(list(redis.smembers(rest)), dtype=pl.Binary).cast(pl.String)
        fields = members.str.split_exact(":", 1).struct.unnest()
        numbers, words = (fields[column].cast(pl.UInt64).to_numpy() for column in fields.columns)
        unequal.append((numbers, words))
    return agreed_count, unequal
