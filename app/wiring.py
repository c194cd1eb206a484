"""The composition root: settings become a runtime and the gateways. Nothing connects before it is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from app.audit import service as audit
from app.core.clock import Clock
from app.core.db import Database
from app.core.privacy import Privacy
from app.core.redis import connect
from app.core.settings import Settings
from app.core.tokens import Tokens
from app.core.work import Runtime
from app.gateways import Gateways
from app.gateways.http import Http
from app.gateways.wechat.api import WeChat


def make_runtime(
    settings: Settings, *, routes: Mapping[str, Sequence[str]], ring: Callable[[set[str]], None]
) -> Runtime:
    """`routes` says which tasks follow which event (workers/routes.py), `ring` wakes the workers (workers/bell.py)."""
    privacy = Privacy(settings.master_key)
    return Runtime(
        settings=settings,
        clock=Clock(settings.business_date),
        privacy=privacy,
        tokens=Tokens(privacy.token_key),
        database=Database(settings.database_url, privacy, pool_size=settings.database_pool_size),
        write_audit=audit.write,
        routes=routes,
        ring=ring,
    )


def make_gateways(settings: Settings) -> Gateways:
    wechat = WeChat(
        settings.wechat_api_url,
        settings.wechat_open_url,
        Http("wechat", settings.partner_timeout_s),
        connect(settings.redis_url),
        Privacy(settings.master_key),
    )
    return Gateways(wechat=wechat)
