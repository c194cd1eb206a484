"""What is sent to the phone."""

from __future__ import annotations

from typing import Any

from flask import request

from mock_wechat.errors import PhoneError


def form(*needed: str) -> dict[str, Any]:
    """The request's JSON object, in which the `needed` fields must stand."""
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise PhoneError(400, "not_json", "需要 JSON 对象")
    missing = [name for name in needed if name not in body]
    if missing:
        raise PhoneError(400, "missing", f"缺少 {'、'.join(missing)}")
    return body
