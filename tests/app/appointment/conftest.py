from __future__ import annotations

import pytest

from tests.app.appointment.kit import Desk
from tests.app.house import client, gateways, house, house_world, mail, product, runtime, seeded, settings, sms, wechat
from tests.app.patients import House

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
def desk(house: House) -> Desk:
    """Nothing of other tests waits in the hospitals' hands."""
    house.rows("UPDATE command SET status = 'withdrawn' WHERE status IN ('open', 'fetched')")
    house.rows("DELETE FROM task")
    return Desk(house)
