"""The workers are tested with what tests of the features share."""

from __future__ import annotations

from tests.app.conftest import drain_all, gateways, here, runtime, settings

__all__ = ["drain_all", "gateways", "here", "runtime", "settings"]
