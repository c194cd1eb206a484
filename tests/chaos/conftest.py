from __future__ import annotations

from tests.app.conftest import client, drain_all, gateways, here, made_apps, runtime
from tests.app.town import front, settings, town, wechat

__all__ = ["client", "drain_all", "front", "gateways", "here", "made_apps", "runtime", "settings", "town", "wechat"]
