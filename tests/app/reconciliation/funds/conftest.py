from __future__ import annotations

from tests.app.town import front, shared_client, shared_partners, shared_runtime, shared_settings, shared_town, wechat

__all__ = ["front", "shared_client", "shared_partners", "shared_runtime", "shared_settings", "shared_town", "wechat"]
