"""A package on its way: what is personal is encrypted to the insurer alone, the rest can be read.

Hashes and signature in the manifest are over the plain parts and hold whoever the package is encrypted to. The envelope
adds the hashes of what is encrypted, under a signature of its own: so a changed byte is found without the insurer's
private key too, and an insurer's new key needs no new version.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from app.claim.package import canonical, signed
from app.core.jwe import encrypt
from app.core.signing import SigningKey

# Whose name, document, illness or treatment it tells; the others hold numbers, dates and sums.
PERSONAL = frozenset({
    "insured", "visits", "diagnoses", "procedures", "documents", "bills", "application_form", "supplements",
})  # fmt: skip


def for_insurer(
    sealed: Mapping[str, Any], attachments: Mapping[str, bytes], jwk: Mapping[str, str], key: SigningKey
) -> dict[str, Any]:
    """{"manifest", "parts", "encrypted", "attachments", "envelope"}: `encrypted` is name -> compact JWE of a part's
    canonical JSON, `attachments` is SHA-256 -> compact JWE of a file that the part `supplements` lists."""
    parts = sealed["parts"]
    encrypted = {name: encrypt(canonical(parts[name]), jwk) for name in sorted(PERSONAL & parts.keys())}
    files = {digest: encrypt(content, jwk) for digest, content in sorted(attachments.items())}
    envelope = {"root": sealed["manifest"]["root"], "encrypted": _hashes(encrypted), "attachments": _hashes(files)}
    return {
        "manifest": sealed["manifest"],
        "parts": {name: part for name, part in parts.items() if name not in PERSONAL},
        "encrypted": encrypted,
        "attachments": files,
        "envelope": signed(envelope, key),
    }


def _hashes(texts: Mapping[str, str]) -> dict[str, str]:
    return {name: sha256(text.encode()).hexdigest() for name, text in texts.items()}
