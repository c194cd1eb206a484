"""A small world: one partner of each kind, no ports chosen, a hospital whose database nobody asks."""

from __future__ import annotations

from typing import Any

from tests.mock_partners.wire import SECRETS, secret


def small_world(exchange_url: str = "http://127.0.0.1:9") -> dict[str, Any]:
    insurer = {"code": "I1", "partner": "I1-core", "secret": SECRETS["I1-core"], "bank_account": "6200000000000001"}
    return {
        "seed": 1,
        "business_date": "2026-11-21",
        "platform": {"exchange_url": exchange_url},
        "hospitals": [{"code": "H1", "his_database_url": "postgresql://127.0.0.1:9/none", "his_dialect": "builtin"}],
        "insurers": [{**insurer, "outbound_secret": secret("insurer out")}],
        "medical_insurance": {"code": "M1", "n": 10, "window_s": 6},
        "bank": {
            "code": "B1",
            "partner": "B1-core",
            "secret": SECRETS["B1-core"],
            "outbound_secret": secret("bank out"),
        },
        "e_bill_authority": {"key": "authority-key"},
        "sms": {"key": "sms-key"},
        "mail": {"key": "mail-key", "from": "zhipei@example.com"},
        "wechat": {"apps": [], "merchants": []},
    }
