"""What every test may ask for: real servers, and at the end of the run the name of each test that was skipped."""

from __future__ import annotations

import gc
import re
import ssl
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from typing import Any

import pytest
from wechatpayv3 import core as wechatpay
from werkzeug.routing.rules import Rule

from tests import examples, servers

__all__ = ["examples"]  # imported for the profile that it loads
# Each begins with its servers or walks hundreds of steps; as many groups as script/test has processes.
LONGEST = (
    r"/test_day\.py",
    r"/chaos/test_(runs|callbacks)\.py",
    r"/bench/|_kills\.py",
    r"_machine\.py|/test_embedded\.py",
)


@pytest.fixture(scope="session", autouse=True)
def authorities() -> Iterator[None]:
    """Every HTTP client reads the list of certificate authorities, for as long as a whole test takes: read it once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", cache(ssl.create_default_context))
        yield


@pytest.fixture(scope="session", autouse=True)
def routes() -> Iterator[None]:
    """Half the cost of a new web application is code that builds URLs, which hardly a double is ever asked for: make it
    when it is."""
    compiled = Rule._compile_builder

    def when_asked(rule: Rule, append_unknown: bool = True) -> Callable[..., Any]:
        builder = cache(lambda: compiled(rule, append_unknown))
        return lambda *values, **more: builder()(*values, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "_compile_builder", when_asked)
        yield


@pytest.fixture(scope="session", autouse=True)
def private_keys() -> Iterator[None]:
    """A merchant's RSA key is checked when it is read, for as long as half a test takes: read each once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wechatpay, "load_private_key", cache(wechatpay.load_private_key))
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[servers.Databases]:
    """The databases of this test process: `create(migrated=True)` gives the URL of a new one, `drop(url)` ends it."""
    server = servers.start_postgres()
    databases = servers.Databases(server)
    yield databases
    databases.close()
    server.stop()


@pytest.fixture(scope="session")
def database_url(postgres: servers.Databases) -> str:
    """A database with every table, shared by all tests of this process: for tests that bring their own rows."""
    return postgres.create()


@pytest.fixture
def fresh_database_url(postgres: servers.Databases) -> Iterator[str]:
    """A database with every table and no rows, for one test."""
    with postgres.lend() as url:
        yield url


@pytest.fixture(scope="module")
def module_database_url(postgres: servers.Databases) -> Iterator[str]:
    """A database with every table, shared by the tests of one module."""
    with postgres.lend() as url:
        yield url


@pytest.fixture
def empty_database_url(postgres: servers.Databases) -> Iterator[str]:
    """A database without any table, for one test."""
    url = postgres.create(migrated=False)
    yield url
    postgres.drop(url)


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Valkey of this test process alone, empty at first."""
    with servers.start_valkey() as server:
        yield server.url


@pytest.fixture
def fresh_redis_url(redis_url: str) -> str:
    """The same Valkey, emptied for this test."""
    servers.empty(redis_url)
    return redis_url


def pytest_configure() -> None:
    """What is loaded for the tests stays: looking for garbage meanwhile costs a sixth of the loading."""
    gc.disable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest stands at the head of a worker's share: begun last, it would keep that worker busy while the
    others have nothing to do."""
    heads = [[item for item in items if re.search(pattern, item.nodeid)] for pattern in LONGEST]
    short = iter([item for item in items if not any(item in head for head in heads)])
    share = len(items) // len(LONGEST)
    items[:] = [item for head in heads for item in (*head, *islice(short, max(0, share - len(head))))] + list(short)


def pytest_collection_finish() -> None:
    """What is loaded now stays to the end: leave it out of every later look for garbage."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


def pytest_unconfigure() -> None:
    gc.unfreeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name every skipped test with its reason."""
    skipped = terminalreporter.getreports("skipped")
    if skipped:
        terminalreporter.section("skipped")
    for report in sorted(skipped, key=lambda one: one.nodeid):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        terminalreporter.write_line(f"{report.nodeid}: {reason.removeprefix('Skipped: ')}")
