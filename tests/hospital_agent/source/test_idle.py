"""A reading begins only while the source is idle, and ends at once when it no longer is."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from hospital_agent.errors import Temporary
from hospital_agent.source.engine import SourceLink
from hospital_agent.source.idle import IdleTime, NotNow
from tests.hospital_agent.mariadb_his import OldHis
from tests.hospital_agent.small_his import Switch, run

SLOW_MS = 300_000


class IdleAtFirst(Switch):
    """A probe that finds the source busy from the second look on."""

    def is_idle(self) -> bool:
        self.asked += 1
        return self.asked == 1


def read_slowly(source: SourceLink, sleep: str) -> None:
    idle = IdleTime(source, IdleAtFirst(), Switch(), ask_every_s=0.05)
    with idle.reading(SLOW_MS) as records:
        records.connection.execute(sa.text(sleep)).all()


def test_a_busy_source_is_not_even_connected_to() -> None:
    def touched() -> None:
        raise AssertionError

    source = SourceLink(sa.create_engine("sqlite://", creator=touched), None, dict)  # type: ignore[arg-type]
    idle = IdleTime(source, Switch(idle=False), Switch(), ask_every_s=1)
    with pytest.raises(NotNow, match="source_busy"), idle.reading(1_000):
        pytest.fail("it was read")


def assert_broken_off(read: Callable[[], None]) -> None:
    started_s = time.monotonic()
    with pytest.raises(NotNow, match="source_busy"):
        read()
    assert time.monotonic() - started_s < 60, "the statement sleeps for five minutes"


def test_a_statement_under_way_is_broken_off(small: SourceLink) -> None:
    assert_broken_off(lambda: read_slowly(small, "SELECT pg_sleep(300)"))


def test_a_statement_under_way_is_broken_off_on_mariadb(old: SourceLink) -> None:
    assert_broken_off(lambda: read_slowly(old, "SELECT count(*) FROM t_sfmx WHERE sleep(1) = 0"))


def test_other_failures_stay_what_they_are(small: SourceLink) -> None:
    idle = IdleTime(small, Switch(), Switch(), ask_every_s=0.01)
    with pytest.raises(Temporary, match="source_query_failed"), idle.reading(1_000) as records:
        records.connection.execute(sa.text("SELECT no_such_column"))


def test_what_was_not_fetched_stays_at_the_source(old: SourceLink, old_his: OldHis) -> None:
    """PyMySQL would first fetch the rest of a stream that nobody wants any more."""
    old_his.run("CREATE VIEW v AS SELECT m.*, sleep(0.1) AS s FROM t_sfmx m")
    started_s = time.monotonic()
    idle = IdleTime(old, Switch(), Switch(), ask_every_s=60)
    with pytest.raises(NotNow, match="spool_full"), idle.reading(SLOW_MS) as records:
        stream = records.connection.execution_options(stream_results=True).execute(sa.text("SELECT * FROM v"))
        assert stream.fetchone() is not None
        raise NotNow("spool_full")
    assert time.monotonic() - started_s < 60, "2,440 rows take four minutes"


def test_the_connection_serves_again_after_a_break(small: SourceLink) -> None:
    assert_broken_off(lambda: read_slowly(small, "SELECT pg_sleep(300)"))
    run(small, "DELETE FROM qs")
    with IdleTime(small, Switch(), Switch(), ask_every_s=1).reading(1_000) as records:
        assert records.connection.scalar(sa.text("SELECT 1")) == 1
