"""The lane of the benchmark registers everybody once, with everything that belongs to it; its arms run."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest

from bench import newcomers, registration, registration_agent, registration_rivals
from bench.ground import libpq, runtime_on
from bench.registration import Lane


@pytest.fixture
def lane(fresh_database_url: str, fresh_redis_url: str) -> Iterator[Lane]:
    runtime = runtime_on(fresh_database_url, redis_url=fresh_redis_url, partner_limit="1000000 per minute")
    yield Lane(runtime, newcomers.found(runtime))
    runtime.database.dispose()


ACTIONS = ("registration.begin", "registration.register", "read.person", "patient_number.set", "notice.start")


def left(lane: Lane) -> dict[str, int]:
    """What stands in the database of everybody who was registered."""
    wanted = {
        "registered": "SELECT count(*) FROM registration WHERE status = 'registered' AND left_at IS NOT NULL",
        "numbers": "SELECT count(DISTINCT person_id) FROM patient_number",
        "notices": "SELECT count(DISTINCT subject) FROM notice WHERE template = 'registered'",
        "tasks": "SELECT count(*) FROM task WHERE kind = 'notification.deliver'",
    }
    with psycopg.connect(libpq(lane.runtime.settings.database_url)) as db:
        found = {name: int((db.execute(query.encode()).fetchone() or (0,))[0]) for name, query in wanted.items()}
        entries: dict[str, int] = dict(
            db.execute("SELECT action, count(*) FROM audit_entry GROUP BY action").fetchall()
        )
    return found | {action: entries.get(action, 0) for action in ACTIONS}


@pytest.mark.parametrize("way", [Lane.drain, Lane.fill])
def test_the_lane_does_the_whole_job_and_the_bare_statements_write_the_same_rows(
    lane: Lane, way: Callable[[Lane], int]
) -> None:
    lane.enter(450)
    assert way(lane) == 450
    assert set(left(lane).values()) == {450}, left(lane)


def test_through_the_exchange_in_order_at_once_and_slowly(lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registration_agent, "LONGEST_S", 0.2)
    exchange = registration_agent.Exchange(lane.runtime)
    for slow in (None, registration.random.Random(1)):
        lane.enter(30)
        agent = registration_agent.Agent(exchange.client, slow, at_once=8)
        assert exchange.register(agent, lane.hospital_id, 30) == 30
        lane.require_in_order(agent.order)
    with pytest.raises(SystemExit, match="out of order"):
        lane.require_in_order(agent.order[::-1])
    exchange.close()


def test_the_floor_and_the_rival_run(lane: Lane) -> None:
    settings = lane.runtime.settings
    registration_rivals.prepare(settings.database_url)
    assert registration_rivals.floor(settings.database_url, 400) > 0
    assert registration_rivals.rival(settings.redis_url, 2) > 0
