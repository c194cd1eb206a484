from __future__ import annotations

import pytest

from tests.app.house import client, gateways, house, house_world, mail, product, runtime, seeded, settings, sms, wechat
from tests.app.patients import House
from tests.app.payment.kit import Till

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
def till(house: House) -> Till:
    return Till(house)
