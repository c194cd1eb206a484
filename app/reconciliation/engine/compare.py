"""The comparison of three ledgers, from columns to outcome. A night and `reconcile files` run the same function."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
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


def compare(redis: Redis | RedisCluster, day: date, parties: Mapping[str, Ledger]) -> Outcome:
    """Compare the ledgers of PARTIES, all three given. `redis` answers in bytes (decode_responses off).

    The working set in Redis is that of one segment at a time and is removed at the end. If Redis loses it in the middle
    the segment is compared anew; WorkingSetLost after three tries, redis.RedisError if Redis is away.
    """
    ledgers = refuse_strangers([parties[name] for name in PARTIES])
    packing, words = pack(ledgers)
    found = merge(list(_find(redis, day, ledgers, words)), packing.dtype)
    return assemble(day, ledgers, packing, found)


def _find(redis: Redis | RedisCluster, day: date, ledgers: Sequence[Ledger], words: Sequence[Words]) -> Iterator[Found]:
    numbers = [ledger.rows["number"].to_numpy() for ledger in ledgers]
    located = [locate(column, day) for column in numbers]
    planned = plan(located)
    for segment in planned.dense:
        rows = [ledger.rows(segment) for ledger in located]
        parts = [
            arrays.Part(ledger.offsets[mine], column[mine], mine)
            for ledger, column, mine in zip(located, words, rows, strict=True)
        ]
        work = partial(arrays.compare_segment, day=day, segment=segment, parts=parts)
        yield _until_whole(redis, f"{day:%Y%m%d}:{segment}", work)
    others = [scattered.gather(*columns) for columns in zip(numbers, words, planned.scattered_rows(), strict=True)]
    for bucket, rest in enumerate(scattered.buckets(others)):
        work = partial(scattered.compare_bucket, parties=rest)
        yield _until_whole(redis, f"{day:%Y%m%d}:scattered-{bucket}", work)


def _until_whole(redis: Redis | RedisCluster, tag: str, work: Callable[[Workspace], Found]) -> Found:
    for _ in range(_TRIES):
        try:
            with Workspace(redis, tag) as workspace:
                return work(workspace)
        except WorkingSetLost:
            continue
    raise WorkingSetLost
