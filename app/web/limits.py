"""How often one caller may ask. Redis counts; without Redis each process counts for itself."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from flask import Flask, request
from flask_limiter import Limiter

from app.core.redis import TIMEOUT_S
from app.core.settings import NO_LIMIT, Settings


def caller_key() -> str:
    """The token's fingerprint or the address: never empty, because an empty key switches the limit off. Programs of
    partners may share an address, so the name they give counts with it."""
    if _from_partner():
        return f"{request.remote_addr}/{request.headers.get('Zhipei-Partner', '')[:64]}"
    if "/login" in request.path or request.path.endswith("/refresh"):
        return request.remote_addr or "nowhere"  # nobody has proved anything yet: an invented token is no other caller
    token = request.headers.get("Authorization", "")
    return sha256(token.encode()).hexdigest()[:32] if token else request.remote_addr or "nowhere"


def install(app: Flask, settings: Settings) -> Limiter:
    """Limit everything that changes something, over all routes together: spreading calls over them gains nothing.
    Reads stay free of the extra round trip."""

    def limit() -> str:
        return settings.partner_limit if _from_partner() else settings.caller_limit

    timeouts: Any = {"socket_timeout": TIMEOUT_S, "socket_connect_timeout": TIMEOUT_S}
    limiter = Limiter(
        key_func=caller_key,
        app=app,
        application_limits=[limit],
        storage_uri=settings.redis_url,
        storage_options=timeouts,
        in_memory_fallback_enabled=True,
        swallow_errors=True,
    )
    limiter.request_filter(lambda: request.method in ("GET", "HEAD", "OPTIONS"))
    if settings.caller_limit == NO_LIMIT:
        limiter.request_filter(lambda: not _from_partner())
    return limiter


def _from_partner() -> bool:
    return request.path.startswith(("/exchange/", "/wechat/"))
