"""The claim package: canonical JSON parts, a hash for each, a root over the hashes, our signature over the root.

Canonical JSON: keys sorted, no white space, UTF-8. The root is the SHA-256 of the lines `name sha256` in the order of
the names; the signature is Ed25519 (RFC 8032) over the root's hexadecimal text.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEY_ID = "zhipei-1"


@dataclass(frozen=True)
class Head:
    """What identifies one version of a claim's package."""

    claim_no: str
    version: int
    previous_root: str | None
    signed_at: datetime


def canonical(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def seal(head: Head, parts: Mapping[str, Any], seed: bytes) -> dict[str, Any]:
    """{"manifest", "parts"} of a package; `seed` is the 32-byte private key."""
    listed = []
    for name in sorted(parts):
        text = canonical(parts[name])
        listed.append({"name": name, "sha256": sha256(text).hexdigest(), "bytes": len(text)})
    root = sha256("".join(f"{part['name']} {part['sha256']}\n" for part in listed).encode()).hexdigest()
    signature = Ed25519PrivateKey.from_private_bytes(seed).sign(root.encode())
    manifest = {
        "claim_no": head.claim_no,
        "package_version": head.version,
        "previous_root": head.previous_root,
        "parts": listed,
        "root": root,
        "signed_at": head.signed_at.isoformat(),
        "key_id": KEY_ID,
        "signature": b64encode(signature).decode(),
    }
    return {"manifest": manifest, "parts": dict(parts)}


def public_key(seed: bytes) -> str:
    """What insurers verify with: the raw Ed25519 key in base64."""
    key = Ed25519PrivateKey.from_private_bytes(seed).public_key()
    return b64encode(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
