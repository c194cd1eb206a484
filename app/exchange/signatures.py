"""Signatures of Standard Webhooks: HMAC (`v1`, secrets `whsec_…`) and Ed25519 (`v1a`, public keys `whpk_…`).

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import re
import secrets
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook, WebhookVerificationError
from standardwebhooks.webhooks import EmptyWebhookSecretError

TOLERANCE_S = 300
PUBLIC, PRIVATE = "whpk_", "whsk_"
_SECONDS = re.compile(r"[0-9]{1,11}", re.ASCII)


def new_secret() -> str:
    """A shared secret, `whsec_…`."""
    return "whsec_" + b64encode(secrets.token_bytes(32)).decode()


def is_public(key: str) -> bool:
    """Whether a key only verifies: then it is stored as it is, and nobody who reads it can sign."""
    return key.startswith(PUBLIC)


def is_usable(key: str) -> bool:
    """Whether something can be verified with a key. A private key cannot: it is its owner's alone."""
    try:
        if is_public(key):
            _public_key(key)
        else:
            Webhook(key)
    except (ValueError, EmptyWebhookSecretError):
        return False
    return not key.startswith(PRIVATE)


def is_signed_with(key: str, headers: Mapping[str, str], body: str) -> bool:
    """Whether the owner of this key signed this body within 300 seconds from now; False for what is malformed.
    `headers` has lower-case names."""
    if is_public(key):
        return _is_signed_by_owner(_public_key(key), headers, body)
    try:
        Webhook(key).verify(body, dict(headers), json_parse=False)
    except (WebhookVerificationError, ValueError):  # a malformed signature is a ValueError
        return False
    return True


def _is_signed_by_owner(key: Ed25519PublicKey, headers: Mapping[str, str], body: str) -> bool:
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id or not _SECONDS.fullmatch(timestamp) or abs(time.time() - int(timestamp)) > TOLERANCE_S:
        return False
    signed = f"{message_id}.{timestamp}.{body}".encode()
    for signature in _signatures(headers.get("webhook-signature", "")):
        try:
            key.verify(signature, signed)
            return True
        except InvalidSignature:
            continue
    return False


def _signatures(header: str) -> Iterator[bytes]:
    """The Ed25519 signatures among those of a header, which separates them by blanks."""
    for one in header.split(" "):
        version, _, encoded = one.partition(",")
        if version == "v1a":
            try:
                yield b64decode(encoded, validate=True)
            except ValueError:
                continue


def _public_key(key: str) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(b64decode(key.removeprefix(PUBLIC), validate=True))
