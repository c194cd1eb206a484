"""When the source counts as idle."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime, time
from time import monotonic, sleep
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from hospital_agent.errors import ConfigError
from hospital_agent.sections import BulkConfig
from hospital_agent.source.engine import SourceLink, make_engine
from hospital_agent.source.probe import ActiveSessions, Every, Hours, Probe, make_probe
from tests.hospital_agent.exchange_site import wait_for
from tests.hospital_agent.small_his import run


def small_role() -> str:
    return f"blind_{os.getpid()}"


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
        wait_for(ActiveSessions(small.engine, limit=0).is_idle)  # another test's session may still be ending


def test_another_database_answers_by_its_own_query(small: SourceLink) -> None:
    assert not ActiveSessions(small.engine, 4, "SELECT 5").is_idle()
    assert ActiveSessions(small.engine, 5, "SELECT 5").is_idle()


def test_a_source_that_does_not_answer_is_not_idle() -> None:
    engine = make_engine("postgresql://nobody@127.0.0.1:1/none")
    assert not ActiveSessions(engine, 4).is_idle()


def test_a_database_that_nobody_can_ask_is_an_error_of_the_configuration() -> None:
    unknown = sa.create_engine("sqlite://")
    with pytest.raises(ConfigError, match="busy_query is missing"):
        ActiveSessions(unknown, 4)
    assert ActiveSessions(unknown, 4, "SELECT 4").is_idle()


def test_an_account_that_may_not_see_others_finds_no_source_idle(small: SourceLink, source_url: str) -> None:
    run(small, f"CREATE ROLE {small_role()} LOGIN PASSWORD 'reader'")
    url = sa.make_url(source_url).set(username=small_role(), password="reader")
    blind = make_engine(url.render_as_string(hide_password=False))
    assert ActiveSessions(blind, 1_000).ask() is None
    run(small, f"GRANT pg_read_all_stats TO {small_role()}")
    assert ActiveSessions(blind, 1_000).is_idle()
    blind.dispose()
    run(small, f"DROP ROLE {small_role()}")


def test_load_is_a_number_that_the_database_tells(small: SourceLink) -> None:
    def probe(**config: Any) -> Probe:
        return make_probe(BulkConfig(max_active=1_000, **config), small.engine, SHANGHAI, lambda: datetime.now(UTC))

    assert probe(load_query="SELECT 0.7", max_load=0.8).is_idle()
    assert not probe(load_query="SELECT 0.9", max_load=0.8).is_idle()
    assert not probe(load_query="SELECT NULL", max_load=0.8).is_idle()
    assert not probe(load_query="SELECT 'much'", max_load=0.8).is_idle()
    for lone in ({"load_query": "SELECT 1"}, {"max_load": 1.0}):
        with pytest.raises(ConfigError, match="go together"):
            probe(**lone)


class Lunch:
    """A site's own probe."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    def is_idle(self) -> bool:
        return False


def test_a_site_may_bring_its_own_probe(small: SourceLink) -> None:
    def probe(name: str) -> Probe:
        config = BulkConfig(max_active=1_000, probe=name)
        return make_probe(config, small.engine, SHANGHAI, lambda: datetime.now(UTC))

    assert probe("").is_idle()
    assert not probe(f"{__name__}:Lunch").is_idle()
    for wrong in (
        "no_such_module:Lunch",
        f"{__name__}:Dinner",
        f"{__name__}",
        f"{__name__}:type",
        f"{__name__}:SHANGHAI",
    ):
        with pytest.raises(ConfigError, match="probe"):
            probe(wrong)


def test_all_probes_must_agree() -> None:
    never = Hours(((time(0, 0), time(0, 0)),), SHANGHAI, lambda: datetime.now(UTC))
    assert not Every(never, Hours((), SHANGHAI, lambda: datetime.now(UTC))).is_idle()
