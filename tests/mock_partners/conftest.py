"""Fixtures of the doubles' tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.mock_partners.wire import SECRETS, Exchange


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    double = Exchange(SECRETS)
    with double:
        yield double
