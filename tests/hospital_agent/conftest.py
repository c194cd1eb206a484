"""The agent's parts on a store of their own and on the small hospital."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hospital_agent.source.bulk import SourceLink
from hospital_agent.store.db import Store
from hospital_agent.store.spool import Spool
from tests.hospital_agent.small_his import open_small


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "agent.sqlite")
    yield store
    store.close()


@pytest.fixture
def spool(store: Store) -> Spool:
    return Spool(store)


@pytest.fixture
def small(empty_database_url: str, tmp_path: Path) -> Iterator[SourceLink]:
    link = open_small(empty_database_url, tmp_path)
    yield link
    link.engine.dispose()
