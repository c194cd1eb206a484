"""A WeChat that answers, and a world that is known to us."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.core.settings import Settings
from app.core.work import Runtime
from app.factory import create_app
from app.identity import seeding
from mock_wechat.server import WeChat
from tests.app.identity.kit import Clinic
from tests.app.kit import DrainAll, runtime_on
from tests.app.world import make_world


@pytest.fixture(scope="session")
def wechat() -> Iterator[WeChat]:
    """The WeChat double, shared by the tests of this process; each test makes users of its own."""
    with WeChat(make_world()["wechat"]) as double:
        yield double


@pytest.fixture(scope="module")
def settings(module_database_url: str, redis_url: str, wechat: WeChat) -> Settings:
    return Settings(
        database_url=module_database_url,
        redis_url=redis_url,
        wechat_api_url=wechat.url,
        wechat_open_url=wechat.url,
        caller_limit="100000 per minute",
    )


@pytest.fixture(scope="module")
def runtime(settings: Settings) -> Iterator[Runtime]:
    """One database for the tests of a module: each brings people of its own."""
    with runtime_on(settings) as runtime:
        yield runtime


@pytest.fixture(scope="module")
def client(runtime: Runtime) -> FlaskClient:
    return create_app(runtime).test_client()


@pytest.fixture(scope="module")
def seeded(runtime: Runtime) -> dict[str, Any]:
    """The world, entered; without operators, whose passwords take a third of a second to hash."""
    world = make_world()
    with runtime.work() as work:
        seeding.seed(work, world | {"operators": []})
    return world


@pytest.fixture
def clinic(
    runtime: Runtime, client: FlaskClient, wechat: WeChat, seeded: dict[str, Any], drain_all: DrainAll
) -> Clinic:
    wechat.faults.clear()
    return Clinic(runtime, client, wechat, seeded, drain_all)
