"""Helpers for tests of the exchange."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.core.work import Runtime
from app.exchange import service
from tests.app.partner import PartnerClient


def write(runtime: Runtime, party_id: UUID, kind: str = "register", lane: str = "registration", **how: Any) -> str:
    """One committed command; `in_s` is the time to its deadline. Answers its id as the partner sees it."""
    body = how.pop("body", {})
    with runtime.work() as work:
        if "in_s" in how:
            how["deadline"] = work.now + timedelta(seconds=how.pop("in_s"))
        return str(service.command(work, party_id, kind, body, lane=lane, subject=None, **how))


def run(runtime: Runtime, statement: str, **values: Any) -> Any:
    """One statement of the test's own, committed; its rows if it has any."""
    with runtime.work() as work:
        result = work.session.execute(text(statement), values)
        return result.all() if result.returns_rows else None


def value(runtime: Runtime, query: str, **values: Any) -> Any:
    with runtime.read() as session:
        return session.execute(text(query), values).scalar()


def elsewhere(partner: PartnerClient) -> PartnerClient:
    """The same program for another thread: a Flask test client belongs to one."""
    return replace(partner, client=partner.client.application.test_client())


class Thread(threading.Thread):
    """A thread whose result, or error, is handed over by `result`."""

    def __init__(self, work: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self._work, self._found, self._error = work, None, None
        self.start()

    def run(self) -> None:
        try:
            self._found = self._work()
        except BaseException as error:
            self._error = error

    def result(self, timeout_s: float = 20) -> Any:
        self.join(timeout_s)
        assert not self.is_alive(), "still running"
        if self._error is not None:
            raise self._error
        return self._found
