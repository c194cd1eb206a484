"""A whole night over real doors: agents push, insurers serve, Redis compares, figures and reports are kept."""

from __future__ import annotations

from redis import Redis

from mock_partners.mail import Mail
from mock_partners.sms import Sms
from tests.app.reconciliation.kit import Night

AGREED = {"110": 0, "101": 0, "100": 0, "011": 0, "010": 0, "001": 0}


def test_a_night_in_which_all_agree(night: Night, mail: Mail, sms: Sms) -> None:
    night.book(range(1, 6))
    night.book(range(6, 9), "H2", "I2")
    seen = night.run()
    assert (seen["status"], seen["sets"]) == ("balanced", {"111": 8} | AGREED)
    assert seen["totals"]["three_party"] == {
        "count": 8,
        "amount_fen": 3600,
        "success_count": 8,
        "success_amount_fen": 3600,
        "failure_count": 0,
        "failure_amount_fen": 0,
    }
    assert {(g["hospital"], g["insurer"]): g["sets"]["111"] for g in seen["groups"]} == {
        ("H1", "I1"): 5,
        ("H2", "I2"): 3,
    }
    assert {p["code"]: (p["status"], p["row_count"]) for p in seen["parties"]} == {
        "H1": ("arrived", 5),
        "H2": ("arrived", 3),
        "I1": ("arrived", 5),
        "I2": ("arrived", 3),
        "platform": ("arrived", 8),
    }
    assert seen["differences"] == []


def test_the_working_set_is_gone_afterwards(night: Night, fresh_redis_url: str) -> None:
    night.book(range(1, 50))
    night.run()
    with Redis.from_url(fresh_redis_url) as redis:
        assert redis.keys("recon*") == []
