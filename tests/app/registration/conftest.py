from __future__ import annotations

from tests.app.house import client, gateways, house, house_world, mail, product, runtime, seeded, settings, sms, wechat

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
