"""The keys that we sign with, as partners verify with them."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.signing import SigningKeys


@dataclass(frozen=True)
class AnnouncedKey:
    """`public_key`: the 32 bytes of an Ed25519 key in base64. `signs`: it is the one in use."""

    key_id: str
    public_key: str
    signs: bool


def announced(signing: SigningKeys) -> list[AnnouncedKey]:
    """All that are live, the one in use first."""
    return [AnnouncedKey(key.key_id, key.public_key, key is signing.current) for key in signing.announced]
