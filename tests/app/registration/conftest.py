from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.app.house import client, gateways, house, house_world, mail, product, runtime, seeded, settings, sms, wechat
from tests.app.patients import House
from tests.app.registration.kit import Line

__all__ = [
    "client",
    "gateways",
    "house",
    "house_world",
    "mail",
    "product",
    "runtime",
    "seeded",
    "settings",
    "sms",
    "wechat",
]


@pytest.fixture
def line(house: House) -> Line:
    """Empty lines: nothing of other tests waits in the hospitals' hands."""
    house.rows("UPDATE command SET status = 'withdrawn' WHERE status IN ('open', 'fetched')")
    house.rows("UPDATE registration SET status = 'failed' WHERE status <> 'failed'")
    house.rows("DELETE FROM task")
    return Line(house)


@pytest.fixture
def m(house: House) -> Iterator[Callable[[int], None]]:
    """Say how many a poll takes."""
    settings = house.runtime.settings

    def say(batch: int) -> None:
        house.runtime.settings = settings.model_copy(update={"registration_batch": batch})

    yield say
    house.runtime.settings = settings
