"""The ground that every part of the double stands on: who exists, the clock, the tables, the lock, the numbers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import Flask

from mock_partners.double import Double
from mock_partners.memory import Table, VirtualClock
from mock_wechat.entries import App, Merchant, read_app, read_merchant
from mock_wechat.errors import AccountError, PhoneError
from mock_wechat.settings import Settings
from mock_wechat.times import shanghai_date

Route = tuple[str, str, Callable[..., Any]]


@dataclass
class Ground:
    """`sweepers` are called many times a second by the background thread, to do what time alone brings about."""

    double: Double
    settings: Settings
    apps: dict[str, App]
    merchants: dict[str, Merchant]
    numbers: Table
    sweepers: list[Callable[[], None]] = field(default_factory=list)

    @property
    def lock(self) -> threading.RLock:
        return self.double.lock

    @property
    def flask(self) -> Flask:
        return self.double.app

    def table(self, name: str) -> Table:
        return self.double.table(name)

    def now(self) -> datetime:
        return self.double.clock.now()

    def epoch(self) -> int:
        return int(self.now().timestamp())

    def book_date(self) -> str:
        """The date under which money is booked now."""
        return self.settings.business_date or shanghai_date(self.now()).isoformat()

    def number(self, name: str) -> int:
        """The next number of a series, from 1; goes on after a restart."""
        with self.lock:
            value = int(self.numbers.get(name, {}).get("last", 0)) + 1
            self.numbers.put(name, {"last": value})
            return value

    def app(self, app_id: str) -> App:
        if app_id not in self.apps:
            raise AccountError(40013)
        return self.apps[app_id]

    def phone_app(self, app_id: str) -> App:
        if app_id not in self.apps:
            raise PhoneError(404, "app_unknown", "没有这个公众号或小程序")
        return self.apps[app_id]

    def mount(self, name: str, routes: Iterable[Route]) -> None:
        """Add `(method, path, view)` routes; `name` keeps the endpoints of the parts apart."""
        for method, path, view in routes:
            self.flask.add_url_rule(path, f"{name}:{method}:{path}", view, methods=[method])


class RememberedClock(VirtualClock):
    """A virtual time that a restart does not turn back."""

    def __init__(self, table: Table) -> None:
        super().__init__()
        self._table = table
        self.offset_s = float(table.get("clock", {}).get("offset_s", 0.0))

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        self._table.put("clock", {"offset_s": self.offset_s})


def read_ground(double: Double, world: dict[str, Any]) -> Ground:
    """Read `world["wechat"]`: `apps`, `merchants` and, if given, `settings`."""
    settings = Settings()
    settings.change(world.get("settings", {}))
    apps = [read_app(entry) for entry in world.get("apps", [])]
    merchants = [read_merchant(entry) for entry in world.get("merchants", [])]
    return Ground(
        double=double,
        settings=settings,
        apps={app.app_id: app for app in apps},
        merchants={merchant.mchid: merchant for merchant in merchants},
        numbers=double.table("number"),
    )
