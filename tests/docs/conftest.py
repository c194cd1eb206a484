"""The real application behind an address, for programs that know nothing of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from app.core.settings import Settings
from tests.app.conftest import client, drain_all, gateways, here, made_apps, runtime
from tests.app.town import Front, front

__all__ = ["client", "drain_all", "front", "gateways", "here", "made_apps", "runtime"]


@pytest.fixture
def settings(fresh_database_url: str, redis_url: str, front: Front) -> Settings:
    return Settings(database_url=fresh_database_url, redis_url=redis_url, exchange_url=front.url)


@pytest.fixture
def served(client: FlaskClient, front: Front) -> Iterator[FlaskClient]:
    """The product answers over HTTP at its `exchange_url`."""
    front.app = client.application
    yield client
    front.app = None
