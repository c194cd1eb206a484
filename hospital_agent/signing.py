"""What signs our messages: a secret that we share with the exchange (`whsec_…`), or the private half of an Ed25519 pair
(`whsk_…`) whose public half (`whpk_…`) alone the exchange knows.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from datetime import datetime
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from hospital_agent.errors import ConfigError

PRIVATE, PUBLIC = "whsk_", "whpk_"
_SEED_BYTES = 32


class Signer(Protocol):
    def sign(self, msg_id: str, timestamp: datetime, data: str) -> str:
        """The value of the header `webhook-signature`."""


class PrivateKey:
    """Signs by Ed25519. The key is base64 of the seed, as a rule followed by the public half. Raises ValueError."""

    def __init__(self, key: str) -> None:
        raw = b64decode(key.removeprefix(PRIVATE), validate=True)
        self._key = Ed25519PrivateKey.from_private_bytes(raw[:_SEED_BYTES])
        if raw[_SEED_BYTES:] not in (b"", self._key.public_key().public_bytes_raw()):
            raise ValueError("the two halves do not belong together")

    @property
    def public_key(self) -> str:
        """What the exchange gets to know."""
        return PUBLIC + b64encode(self._key.public_key().public_bytes_raw()).decode()

    def sign(self, msg_id: str, timestamp: datetime, data: str) -> str:
        signed = f"{msg_id}.{int(timestamp.timestamp())}.{data}".encode()
        return f"v1a,{b64encode(self._key.sign(signed)).decode()}"


def signer(secret: str) -> Signer:
    """Raises ConfigError for what is no key."""
    try:
        return PrivateKey(secret) if secret.startswith(PRIVATE) else Webhook(secret)
    except (ValueError, EmptyWebhookSecretError) as error:
        raise ConfigError("secret is not a key of the form whsec_<base64> or whsk_<base64>") from error
