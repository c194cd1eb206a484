"""A fresh ground with its parties for each test, and the real doubles beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mock_partners.bank import Bank
from mock_partners.his.server import His
from mock_partners.insurer.server import Insurer
from mock_partners.medical_insurance.server import MedicalInsurance
from mock_wechat.keys import make_merchant
from mock_wechat.server import WeChat
from tests.demo.invariants.kit import SECRET, WORLD, Ground, Town

# Nobody listens there: a double that wants to tell something keeps it in its outbox.
PLATFORM = {"exchange_url": "http://127.0.0.1:9"}


@pytest.fixture
def ground(fresh_database_url: str) -> Iterator[Ground]:
    made = Ground(fresh_database_url)
    yield made
    made.close()


@pytest.fixture
def town(ground: Ground) -> Town:
    return Town(ground)


@pytest.fixture
def hospital(ground: Ground) -> Iterator[His]:
    """The hospital's double over its own schema, empty but for the tables that stand beside every HIS."""
    double = His("H1", ground.open_hospital(), "builtin")
    double.start()
    yield double
    double.stop()


@pytest.fixture
def interface() -> Iterator[MedicalInsurance]:
    double = MedicalInsurance(WORLD["medical_insurance"])
    double.start()
    yield double
    double.stop()


@pytest.fixture
def insurer() -> Iterator[Insurer]:
    double = Insurer({**WORLD["insurers"][0], "outbound_secret": SECRET}, PLATFORM)
    double.start()
    yield double
    double.stop()


@pytest.fixture(scope="session")
def wechat_world() -> dict[str, Any]:
    """One insurer's merchant number, with keys that are made once."""
    return {"apps": [], "merchants": [make_merchant("I1", [], mchid="1900000001", balance_fen=1_000_000)]}


@pytest.fixture
def wechat(wechat_world: dict[str, Any]) -> Iterator[WeChat]:
    with WeChat(wechat_world) as double:
        yield double


@pytest.fixture
def bank() -> Iterator[Bank]:
    world = {**WORLD, "platform": PLATFORM, "bank": {**WORLD["bank"], "secret": SECRET, "outbound_secret": SECRET}}
    double = Bank(world)
    double.start()
    yield double
    double.stop()
