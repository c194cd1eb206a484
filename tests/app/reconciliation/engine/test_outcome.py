"""Parts of a day, compared by several workers, make the same outcome as the whole."""

from __future__ import annotations

import random
from collections.abc import Iterator

import polars as pl
import pytest
from redis import Redis

from app.reconciliation.engine.compare import compare
from app.reconciliation.engine.ledger import PARTIES, Ledger
from app.reconciliation.engine.outcome import combine
from app.reconciliation.engine.segments import SEGMENT_SIZE, segment_numbers
from tests.app.reconciliation.engine.books import DAY, number


@pytest.fixture
def redis(fresh_redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(fresh_redis_url) as client:
        yield client


def _frame(seed: int) -> pl.DataFrame:
    chance = random.Random(seed)
    ordinals = [o for o in [*range(60), *range(SEGMENT_SIZE - 3, SEGMENT_SIZE + 60)] if chance.random() < 0.9]
    ordinals += chance.choices(ordinals, k=4)
    return pl.DataFrame(
        {
            "clearing_no": [number(ordinal) for ordinal in ordinals],
            "amount_fen": [ordinal + (chance.random() < 0.1) for ordinal in ordinals],
            "status": ["success" if chance.random() < 0.9 else "failed" for _ in ordinals],
            "hospital": [f"H{ordinal % 2}" for ordinal in ordinals],
            "insurer": [f"I{ordinal % 3}" for ordinal in ordinals],
        }
    )


def test_segments_compared_apart_add_up_to_the_day(redis: Redis) -> None:
    frames = {party: _frame(seed) for seed, party in enumerate(PARTIES)}
    whole = compare(redis, DAY, {party: Ledger.from_frame(frame) for party, frame in frames.items()})
    parts = []
    for segment in range(2):
        first, end = segment_numbers(DAY, segment)
        inside = pl.col("clearing_no").cast(pl.UInt64).is_between(first, end, closed="left")
        part = {party: Ledger.from_frame(frame.filter(inside)) for party, frame in frames.items()}
        parts.append(compare(redis, DAY, part))
    together = combine(parts)
    assert together.overall == whole.overall
    assert together.groups == whole.groups
    assert together.parties == whole.parties
    assert together.differences.equals(whole.differences)
    assert len(together.duplicate_rows) == len(whole.duplicate_rows) > 0
    assert not whole.balanced
