"""When the source counts as idle."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, time
from time import monotonic, sleep
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from hospital_agent.source.engine import SourceLink, make_engine
from hospital_agent.source.probe import ActiveSessions, Every, Hours

SHANGHAI = ZoneInfo("Asia/Shanghai")
NIGHT = (time(22, 0), time(6, 0))
NOON = (time(12, 0), time(13, 0))


@pytest.mark.parametrize(("hour", "idle"), [(21, False), (22, True), (2, True), (6, False), (12, True), (13, False)])
def test_hours_are_local_and_may_pass_midnight(hour: int, idle: bool) -> None:
    now = datetime(2026, 11, 21, hour, 0, tzinfo=SHANGHAI).astimezone(UTC)
    assert Hours((NIGHT, NOON), SHANGHAI, lambda: now).is_idle() is idle


def test_no_hours_means_always() -> None:
    assert Hours((), SHANGHAI, lambda: datetime.now(UTC)).is_idle()


def test_sessions_at_work_make_the_source_busy(small: SourceLink, source_url: str) -> None:
    probe = ActiveSessions(small.engine, limit=0)
    assert probe.is_idle()
    other = sa.create_engine(source_url)

    def work() -> None:
        with other.connect() as connection:
            connection.execute(sa.text("SELECT pg_advisory_lock(7)"))

    with other.connect() as holder:
        holder.execute(sa.text("SELECT pg_advisory_lock(7)"))
        worker = threading.Thread(target=work)
        worker.start()
        ends_s = monotonic() + 60
        while probe.is_idle() and monotonic() < ends_s:
            sleep(0.01)
        assert not probe.is_idle()
        holder.execute(sa.text("SELECT pg_advisory_unlock(7)"))
    worker.join()
    other.dispose()


def test_our_own_sessions_do_not_count(small: SourceLink) -> None:
    with small.engine.connect() as mine:
        mine.execute(sa.text("SELECT 1"))
        assert ActiveSessions(small.engine, limit=0).is_idle()


def test_another_database_answers_by_its_own_query(small: SourceLink) -> None:
    assert not ActiveSessions(small.engine, 4, "SELECT 5").is_idle()
    assert ActiveSessions(small.engine, 5, "SELECT 5").is_idle()


def test_a_source_that_does_not_answer_is_not_idle() -> None:
    engine = make_engine("postgresql://nobody@127.0.0.1:1/none")
    assert not ActiveSessions(engine, 4).is_idle()


def test_all_probes_must_agree() -> None:
    never = Hours(((time(0, 0), time(0, 0)),), SHANGHAI, lambda: datetime.now(UTC))
    assert not Every(never, Hours((), SHANGHAI, lambda: datetime.now(UTC))).is_idle()
