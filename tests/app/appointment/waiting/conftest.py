from __future__ import annotations

from tests.app.appointment.conftest import (
    client,
    desk,
    gateways,
    house,
    house_world,
    mail,
    product,
    runtime,
    seeded,
    settings,
    sms,
    wechat,
)

__all__ = [
    "client",
    "desk",
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
