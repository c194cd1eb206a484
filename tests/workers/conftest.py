"""The workers are tested with what tests of the features share."""

from __future__ import annotations

from tests.app.conftest import clean_database_url, drain_all, feature_database_url, gateways, here, runtime, settings

__all__ = ["clean_database_url", "drain_all", "feature_database_url", "gateways", "here", "runtime", "settings"]
