from __future__ import annotations

from tests.app.town import front, settings, town, wechat

__all__ = ["front", "settings", "town", "wechat"]
