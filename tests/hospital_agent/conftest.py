"""The agent's parts on a store of their own, on the small hospital, and on the old one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hospital_agent.mapping import reader
from hospital_agent.source.engine import SourceLink, make_engine
from hospital_agent.store.db import Store
from hospital_agent.store.spool import Spool
from tests import servers
from tests.hospital_agent import mariadb, mariadb_his
from tests.hospital_agent.mariadb_his import OldHis
from tests.hospital_agent.small_his import open_small, parameters, with_schema


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "agent.sqlite")
    yield store
    store.close()


@pytest.fixture
def spool(store: Store) -> Spool:
    return Spool(store)


@pytest.fixture(scope="session")
def source_database(postgres: servers.Databases) -> str:
    """One database for the sources of all tests; each has a schema of its own in it."""
    return postgres.create(migrated=False)


@pytest.fixture
def source_url(source_database: str, tmp_path: Path) -> str:
    """The URL of a small hospital with its first rows."""
    url = with_schema(source_database)
    open_small(url, tmp_path).engine.dispose()
    return url


@pytest.fixture
def small(source_url: str, tmp_path: Path) -> Iterator[SourceLink]:
    """The small hospital as a source."""
    link = open_small(source_url, tmp_path, fill=False)
    yield link
    link.engine.dispose()


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[mariadb.MariaDb]:
    with mariadb.running() as server:
        yield server


@pytest.fixture
def old_his(mariadb_server: mariadb.MariaDb) -> OldHis:
    return mariadb_his.make(mariadb_server)


@pytest.fixture
def old(old_his: OldHis) -> Iterator[SourceLink]:
    """The hospital on MariaDB as a source."""
    mapping = reader.load(mariadb_his.FOLDER / "old_his.mapping.toml")
    link = SourceLink(make_engine(old_his.agent_url), mapping, parameters)
    yield link
    link.engine.dispose()
