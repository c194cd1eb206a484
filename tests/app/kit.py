"""Types and helpers that tests of the features import; the fixtures stand in conftest.py."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any

from sqlalchemy import text

from app.core.db import Database
from app.core.privacy import Privacy
from app.core.settings import Settings
from app.core.tasks import Lease
from app.core.work import Runtime
from app.wiring import make_runtime
from tests.servers import kept_url
from workers.routes import ROUTES

DrainAll = Callable[..., int]


def run(runtime: Runtime, statement: str, **values: Any) -> Any:
    """One statement of the test's own, committed; its rows if it has any."""
    with runtime.work() as work:
        result: Any = work.session.execute(text(statement), values)
        return result.all() if result.returns_rows else None


def value(runtime: Runtime, query: str, **values: Any) -> Any:
    """The first column of the first row."""
    with runtime.read() as session:
        return session.execute(text(query), values).scalar()


@contextmanager
def runtime_on(settings: Settings) -> Iterator[Runtime]:
    """A runtime with a doorbell that nobody hears: tests drain themselves."""
    made = make_runtime(settings, routes=ROUTES, ring=lambda kinds: None)
    kept = _database(settings.database_url, settings.master_key, settings.database_pool_size)
    yield replace(made, database=kept)


@cache
def _database(url: str, master_key: str, pool_size: int) -> Database:
    """Kept for the next test on this database: compiled statements and open connections are worth keeping."""
    return Database(kept_url(url), Privacy(master_key), pool_size=pool_size)


@cache
def lease_on(url: str) -> Lease:
    """The worker of this process is one and the same for all tests on this database: a session for each takes long."""
    return Lease(kept_url(url))


class Thread(threading.Thread):
    """A thread whose result, or error, is handed over by `result`."""

    def __init__(self, work: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self._work = work
        self._found: Any = None
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._found = self._work()
        except BaseException as error:
            self._error = error

    def result(self, timeout_s: float = 120) -> Any:
        """The limit only ends a hang: on a busy machine honest work may take long."""
        self.join(timeout_s)
        assert not self.is_alive(), "still running"
        if self._error is not None:
            raise self._error
        return self._found
