"""Types and helpers that tests of the features import; the fixtures stand in conftest.py."""

from __future__ import annotations

from collections.abc import Callable

DrainAll = Callable[..., int]
