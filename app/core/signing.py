"""The keys that we sign with for others: Ed25519 (RFC 8032), known by the thumbprint of the public key.

A key's id is its JWK thumbprint (RFC 7638, RFC 8037), so nobody has to agree on names, and a key cannot be announced
under the id of another.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SEED_BYTES = 32


class SigningKey:
    """One key pair of ours. `seed` is the private key's 32 bytes."""

    def __init__(self, seed: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        raw = self._private.public_key().public_bytes_raw()
        self.public_key = b64encode(raw).decode()
        self.key_id = thumbprint({"crv": "Ed25519", "kty": "OKP", "x": urlsafe_b64encode(raw).decode().rstrip("=")})

    def sign(self, text: bytes) -> str:
        """The signature in base64."""
        return b64encode(self._private.sign(text)).decode()


class SigningKeys:
    """The first signs; all are announced, so that a new key is known before it signs and an old one after."""

    def __init__(self, seeds: Sequence[bytes]) -> None:
        self.announced = tuple(SigningKey(seed) for seed in seeds)
        self.current = self.announced[0]


def read_seeds(text: str) -> list[bytes]:
    """`base64[,base64…]`, each the 32 bytes of a private key; none in an empty text. ValueError for anything else."""
    seeds = [b64decode(part, validate=True) for part in text.split(",")] if text else []
    if any(len(seed) != SEED_BYTES for seed in seeds):
        raise ValueError("each key is 32 bytes in base64")
    return seeds


def thumbprint(members: dict[str, str]) -> str:
    """Of a JWK's required members, in base64url (RFC 7638)."""
    text = json.dumps(members, sort_keys=True, separators=(",", ":"))
    return urlsafe_b64encode(sha256(text.encode()).digest()).decode().rstrip("=")
