"""A hospital on MariaDB for the tests of the reader."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hospital_agent.mapping import reader
from hospital_agent.source.engine import SourceLink, make_engine
from tests.hospital_agent import mariadb, mariadb_his
from tests.hospital_agent.mariadb_his import OldHis
from tests.hospital_agent.small_his import parameters


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
    mapping = reader.load(Path(mariadb_his.FOLDER) / "old_his.mapping.toml")
    link = SourceLink(make_engine(old_his.agent_url), mapping, parameters)
    yield link
    link.engine.dispose()
