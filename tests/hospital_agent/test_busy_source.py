"""By its own log a busy source sees of the agent nothing but the probe and capped reads of one patient."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.exchange.completeness import completeness
from hospital_agent.agent import Agent
from hospital_agent.sections import PullConfig
from tests import servers
from tests.app.kit import DrainAll
from tests.hospital_agent import mariadb
from tests.hospital_agent.busy_log import OnMariaDb, WatchedHis, on_mariadb, on_postgres
from tests.hospital_agent.exchange_site import Platform, load, wait_for, write_config
from tests.hospital_agent.small_his import DAY
from tests.hospital_agent.test_with_exchange import platform  # noqa: F401

from tests.app.conftest import client, drain_all, gateways, here, made_apps, runtime, settings, world  # noqa: F401  # isort: skip

ROWS = PullConfig().max_rows
PROBED = re.compile(r"pg_stat_activity|information_schema\.processlist")


@pytest.fixture(params=["postgresql", "mariadb"])
def his(request: pytest.FixtureRequest, postgres: servers.Databases, tmp_path: Path) -> Iterator[WatchedHis]:
    if request.param == "postgresql":
        yield on_postgres(postgres, tmp_path)
        return
    with mariadb.running() as server:
        yield on_mariadb(server)


@pytest.fixture
def agent(his: WatchedHis, platform: Platform, tmp_path: Path) -> Iterator[Agent]:  # noqa: F811
    (tmp_path / "his.mapping.toml").write_text(his.mapping, encoding="utf-8")
    waits = {"interval_s": 0.1, "busy_wait_max_s": 0.1, "probe_every_s": 0.1}
    path = write_config(
        tmp_path,
        platform,
        "H1",
        role="hospital",
        source={"database_url": his.url, "mapping": "his.mapping.toml"},
        bulk={"max_active": 0, "night": [], **waits},
        his={"url": "http://127.0.0.1:9", "timeout_s": 0.5},
    )
    agent = Agent(load(path))
    yield agent
    agent.stop()


def test_a_busy_source_sees_the_probe_and_capped_reads_only(
    his: WatchedHis,
    agent: Agent,
    platform: Platform,  # noqa: F811
    drain_all: DrainAll,  # noqa: F811
) -> None:
    whole = his.keys()
    with his.busy():
        agent.start()
        pulled = platform.wait_answer(platform.command("H1", "pull_patient", {"patient_no": his.patient_no}))
        assert (pulled.outcome, pulled.body["complete"]) == ("done", False), "there is more than a pull may read"
        ledger = platform.wait_answer(platform.command("H1", "collect_ledger", {"business_date": DAY.isoformat()}))
        assert (ledger.outcome, ledger.code) == ("failed", "source_busy")
        wait_for(lambda: sum(bool(PROBED.search(s)) for s in his.statements()) >= 5)
        assert len(platform.rows()) == ROWS
        assert_gentle(his)
    wait_for(lambda: {f"{row['type']} {row['key']}" for row in platform.rows()} == whole)
    with platform.runtime.read() as session:
        found = completeness(session, platform.world.party["H1"], DAY)
    assert (found.missing, found.declared_rows) == ([], len(whole)), "every row once, and no batch lacks"
    drain_all("record.apply")
    with platform.runtime.read() as session:
        found = completeness(session, platform.world.party["H1"], DAY)
    assert (found.percent, dict(found.rows)) == (100.0, {"applied": len(whole)}), "and the platform has taken each"


def assert_gentle(his: WatchedHis) -> None:
    statements = his.statements()
    tables = re.compile(rf"\b({'|'.join(his.tables)})\b")
    read = [statement for statement in statements if tables.search(statement)]
    assert read, "the waiting patient's rows were read"
    for statement in read:
        assert re.search(r"\.brid = .* LIMIT ", statement, re.DOTALL), statement
    others = [statement for statement in statements if " from " in statement.lower() and statement not in read]
    assert [statement for statement in others if not PROBED.search(statement)] == []
    if isinstance(his, OnMariaDb):
        rows = his.rows_read()
        assert sum(sent for sent, _ in rows) == ROWS
        assert max(examined for _, examined in rows) < 1_000, "by an index: 2,440 lines would be read without"
