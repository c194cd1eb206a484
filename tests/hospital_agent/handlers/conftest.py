"""One HIS double per test, on a database that the tests of a module share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hospital_agent.store.db import Store
from mock_partners.his import fill
from mock_partners.his.server import His
from tests import servers
from tests.hospital_agent.handlers.kit import WORLD, Site, open_site


@pytest.fixture(scope="module")
def his_database(postgres: servers.Databases) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    url = postgres.create(migrated=False)
    yield url, fill.prepare(url, WORLD, patients=8)
    postgres.drop(url)


@pytest.fixture
def site(his_database: tuple[str, list[dict[str, Any]]], store: Store) -> Iterator[Site]:
    url, people = his_database
    his = His("H1", fill.hospital_url(url, "builtin", "H1"), "builtin")
    his.start()
    site = open_site(his, url, people, store)
    yield site
    site.source.engine.dispose()
    his.stop()
