"""The JSON of requests, read strictly."""

from __future__ import annotations

from typing import Any

from flask.json.provider import DefaultJSONProvider

from app.core.strict_json import read_json


class StrictJson(DefaultJSONProvider):
    """Refuses as a ValueError what `read_json` refuses."""

    ensure_ascii = False

    def loads(self, s: str | bytes, **_: Any) -> Any:
        return read_json(s)
