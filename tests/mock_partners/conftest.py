"""Fixtures of the doubles' tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.mock_partners.wire import SECRETS, Exchange

# A busy machine is no bug: examples have no deadline.
settings.register_profile("no_deadline", deadline=None)
settings.load_profile("no_deadline")


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    double = Exchange(SECRETS)
    with double:
        yield double
