"""The comparison of three ledgers, from columns to outcome. A night and `reconcile files` run the same function."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from redis import Redis
from redis.cluster import RedisCluster

from app.reconciliation.engine import arrays, scattered
from app.reconciliation.engine.found import Found, merge
from app.reconciliation.engine.ledger import PARTIES, Ledger
from app.reconciliation.engine.outcome import Outcome
from app.reconciliation.engine.owners import refuse_strangers
from app.reconciliation.engine.report import assemble
from app.reconciliation.engine.segments import locate, plan
from app.reconciliation.engine.words import Words, pack
from app.reconciliation.engine.workspace import WorkingSetLost, Workspace

_TRIES = 3


def compare(redis: Redis | RedisCluster, day: date, parties: Mapping[str, Ledger], mark: str = "") -> Outcome:
    """Compare the ledgers of PARTIES, all three given. `redis` answers in bytes (decode_responses off). `mark` begins
    the tokens of all keys, for `workspace.sweep`.

    The working set in Redis is that of one segment at a time and is removed at the end. If Redis loses it in the middle
    the segment is compared anew; WorkingSetLost after three tries, redis.RedisError if Redis is away.
    """
    ledgers = refuse_strangers([parties[name] for name in PARTIES])
    packing, words = pack(ledgers)
    found = merge(list(_find(_Room(redis, day, mark), ledgers, words)), packing.dtype)
    return assemble(day, ledgers, packing, found)


@dataclass(frozen=True)
class _Room:
    redis: Redis | RedisCluster
    day: date
    mark: str

    def until_whole(self, part: str, work: Callable[[Workspace], Found]) -> Found:
        for _ in range(_TRIES):
            try:
                with Workspace(self.redis, f"{self.day:%Y%m%d}:{part}", self.mark) as workspace:
                    return work(workspace)
            except WorkingSetLost:
                continue
        raise WorkingSetLost


def _find(room: _Room, ledgers: Sequence[Ledger], words: Sequence[Words]) -> Iterator[Found]:
    numbers = [ledger.rows["number"].to_numpy() for ledger in ledgers]
    located = [locate(column, room.day) for column in numbers]
    planned = plan(located)
    for segment in planned.dense:
        rows = [ledger.rows(segment) for ledger in located]
        parts = [
            arrays.Part(ledger.offsets[mine], column[mine], mine)
            for ledger, column, mine in zip(located, words, rows, strict=True)
        ]
        work = partial(arrays.compare_segment, day=room.day, segment=segment, parts=parts)
        yield room.until_whole(str(segment), work)
    others = [scattered.gather(*columns) for columns in zip(numbers, words, planned.scattered_rows(), strict=True)]
    for bucket, rest in enumerate(scattered.buckets(others)):
        yield room.until_whole(f"scattered-{bucket}", partial(scattered.compare_bucket, parties=rest))
