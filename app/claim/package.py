"""The claim package: canonical JSON parts, a hash for each, a root over the hashes, our signature over the manifest.

Canonical JSON: keys sorted, no white space, UTF-8. The root is the SHA-256 of the lines `name sha256` in the order of
the names. The manifest names the root of the version before and which parts were added, changed or removed since; its
signature is Ed25519 (RFC 8032) over its own canonical JSON without the member `signature`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from app.core.signing import SigningKey


@dataclass(frozen=True)
class Head:
    """What identifies one version of a claim's package; `previous` is the manifest of the version before."""

    claim_no: str
    signed_at: datetime
    previous: Mapping[str, Any] | None = None


def canonical(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def seal(head: Head, parts: Mapping[str, Any], key: SigningKey) -> dict[str, Any]:
    """{"manifest", "parts"} of a package."""
    listed = []
    for name in sorted(parts):
        text = canonical(parts[name])
        listed.append({"name": name, "sha256": sha256(text).hexdigest(), "bytes": len(text)})
    before = head.previous or {"package_version": 0, "root": None, "parts": []}
    manifest = {
        "claim_no": head.claim_no,
        "package_version": before["package_version"] + 1,
        "previous_root": before["root"],
        "changes": changes(_hashes(before["parts"]), _hashes(listed)),
        "parts": listed,
        "root": sha256("".join(f"{part['name']} {part['sha256']}\n" for part in listed).encode()).hexdigest(),
        "signed_at": head.signed_at.isoformat(),
    }
    return {"manifest": signed(manifest, key), "parts": dict(parts)}


def changes(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, list[str]]:
    """What became of each part from one version to the next, by the hashes."""
    return {
        "added": sorted(new.keys() - old.keys()),
        "changed": sorted(name for name in new.keys() & old.keys() if new[name] != old[name]),
        "removed": sorted(old.keys() - new.keys()),
    }


def signed(body: Mapping[str, Any], key: SigningKey) -> dict[str, Any]:
    """`body` with `key_id` and `signature`, which is over all the rest."""
    whole = {**body, "key_id": key.key_id}
    return {**whole, "signature": key.sign(canonical(whole))}


def _hashes(listed: list[Any]) -> dict[str, str]:
    return {entry["name"]: entry["sha256"] for entry in listed}
