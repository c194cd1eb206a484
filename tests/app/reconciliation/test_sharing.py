"""A night shared out: an RQ job for each part, a worker killed in the middle, nothing left behind, nothing doubled."""

from __future__ import annotations

import pytest
from redis import Redis
from rq import Queue

from app.reconciliation import comparison
from app.reconciliation.engine.workspace import Workspace
from tests.app.kit import run, value
from tests.app.reconciliation.kit import COMPARISON, Night, number
from workers.bell import QUEUE
from workers.context import Context
from workers.drain import drain_with

BEFORE = ("reconciliation.fetch", "reconciliation.take_batch", "reconciliation.answered", "reconciliation.compare")
PART = "reconciliation.compare_part"
SEGMENT = 2**20


@pytest.fixture
def three_parts(night: Night) -> Night:
    """Collected and shared out: two dense segments and a row far away."""
    for first in (1, SEGMENT + 1):
        night.book(range(first, first + 40))
    night.book(range(9_000_000_000, 9_000_000_001))
    night.drop_insurer("I1", number(2))
    night.start()
    night.serve()
    night.drain_all(*BEFORE)
    return night


def test_each_part_is_a_job_of_its_own_that_any_worker_may_take(
    three_parts: Night, here: Context, fresh_redis_url: str
) -> None:
    names = {row.name for row in run(three_parts.runtime, "SELECT name FROM reconciliation_part")}
    assert len(names) == 3
    with Redis.from_url(fresh_redis_url) as redis:
        for left in (2, 1, 0):
            redis.delete(f"bell:{PART}")
            Queue(QUEUE, connection=redis).empty()
            assert drain_with(here, PART) is False
            waiting = "SELECT count(*) FROM reconciliation_part WHERE compared_at IS NULL"
            assert value(three_parts.runtime, waiting) == left
            assert Queue(QUEUE, connection=redis).count == 1, "the next part rang for the next worker"
    three_parts.drain_all(*COMPARISON)
    assert value(three_parts.runtime, "SELECT status FROM reconciliation_run") == "differences"
    assert value(three_parts.runtime, "SELECT count FROM reconciliation_set_count WHERE name = '111' LIMIT 1") == 80
    assert value(three_parts.runtime, "SELECT count(*) FROM reconciliation_part") == 0


def test_a_worker_killed_in_the_middle_leaves_nothing_in_redis(
    three_parts: Night, monkeypatch: pytest.MonkeyPatch, fresh_redis_url: str
) -> None:
    """Killed: its keys are not removed, and its part is compared by another."""
    with monkeypatch.context() as dying:
        dying.setattr(Workspace, "__exit__", lambda *_: None)
        dying.setattr(comparison, "compare_ledgers", _compare_and_die(comparison.compare_ledgers))
        three_parts.drain_all(PART)
    with Redis.from_url(fresh_redis_url) as redis:
        assert redis.keys("recon:*")
        three_parts.drain_all(*COMPARISON, hurry=True)
        assert redis.keys("recon:*") == []
    assert value(three_parts.runtime, "SELECT status FROM reconciliation_run") == "differences"
    assert set(three_parts.differences()) == {("presence", number(2))}


def _compare_and_die(compare: object) -> object:
    def die(*arguments: object) -> None:
        compare(*arguments)  # type: ignore[operator]
        raise RuntimeError("killed")

    return die


def test_many_differences_are_stored_and_stored_again(night: Night) -> None:
    """Set by set, in several pieces; `script/bench reconciliation` measures how long a day's worth takes."""
    count = 5_000
    night.platform_rows({number(ordinal): ordinal for ordinal in range(1, count + 1)}, "H1", "I1")
    for _ in range(2):
        night.start()
        night.serve()
        night.drain_all(*BEFORE, PART)
        night.drain_all("reconciliation.finish")
    found = run(
        night.runtime,
        "SELECT kind, status, count(*) AS many, count(DISTINCT last_run_id) AS runs FROM reconciliation_difference"
        " GROUP BY kind, status",
    )
    assert [(row.kind, row.many, row.runs) for row in found] == [("presence", count, 1)]
    starts = "SELECT count(*) FROM audit_entry WHERE action = 'reconciliation_difference.start'"
    assert value(night.runtime, starts) == count
