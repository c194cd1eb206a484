"""Canonical JSON and its hash: the form on which both sides of the exchange agree byte for byte."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical(value: Any) -> str:
    """JSON with sorted keys, no blanks and real characters."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sha256_hex(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def content_hash(data_json: str) -> bytes:
    """16 bytes that tell whether a row has changed since it was last sent."""
    return hashlib.blake2b(data_json.encode(), digest_size=16).digest()
