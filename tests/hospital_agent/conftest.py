"""The agent's parts on a store of their own and on the small hospital."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hospital_agent.source.engine import SourceLink
from hospital_agent.store.db import Store
from hospital_agent.store.spool import Spool
from tests import servers
from tests.hospital_agent.small_his import open_small, with_schema


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
