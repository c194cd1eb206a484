"""The chain: each entry's hash covers the one before it."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

GENESIS = "0" * 64
HASHED = (
    "id", "actor_kind", "actor_id", "request_id", "action", "subject_type", "subject_id", "from_status", "to_status",
    "detail",
)  # fmt: skip


def entry_hash(prev_hash: str, seq: int, at_us: int, entry: Any) -> str:
    """SHA-256 over the previous hash, the place in the chain, the time (microseconds since 1970) and the content."""
    content = {name: _plain(getattr(entry, name)) for name in HASHED}
    text = json.dumps([prev_hash, seq, at_us, content], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, int | str | dict) else str(value)
