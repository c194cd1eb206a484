"""An insurer that knows one policy, talking to a platform that takes its messages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mock_partners.insurer.server import Insurer
from tests.mock_partners.insurer.packages import PACKAGE_KEY, PUBLIC_KEY, policy
from tests.mock_partners.wire import SECRETS, Exchange, Signed, secret

OUTBOUND = secret("insurer out")


def open_insurer(exchange: Exchange, state_dir: Path) -> Insurer:
    insurer = {
        "code": "I1",
        "partner": "I1-core",
        "secret": SECRETS["I1-core"],
        "outbound_secret": OUTBOUND,
        "package_key": PACKAGE_KEY,
    }
    platform = {"exchange_url": exchange.url, "package_public_keys": {"k1": PUBLIC_KEY}}
    double = Insurer(insurer, platform, state_dir=state_dir)
    double.start()
    return double


@pytest.fixture
def insurer(exchange: Exchange, tmp_path: Path) -> Iterator[Insurer]:
    double = open_insurer(exchange, tmp_path)
    yield double
    double.stop()


@pytest.fixture
def platform(insurer: Insurer) -> Signed:
    client = Signed(insurer.url, OUTBOUND)
    client.control("settings", {"delay_s": 0.0})
    assert client.control("policies", [policy()]).status_code == 201
    return client
