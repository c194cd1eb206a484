"""What is encrypted to the insurer: compact JWE (RFC 7516), ECDH-ES+A256KW and A256GCM."""

from __future__ import annotations

from typing import Any

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwe import JWERegistry
from joserfc.jwk import ECKey

ALGORITHMS = ["ECDH-ES+A256KW", "A256GCM"]
# The most that the platform puts into one part or file, before it is encrypted.
MAX_BYTES = 16 * 1024 * 1024


class _Messages(JWERegistry):
    """These algorithms alone, so no `zip` that a small message could grow by. joserfc's own limit is 64 KB."""

    max_ciphertext_length = MAX_BYTES * 4 // 3 + 4  # in base64url


REGISTRY = _Messages(algorithms=ALGORITHMS)


class NotOpened(Exception):
    """It is no JWE, was altered, or was encrypted to another key."""


def decrypt(text: Any, key: ECKey) -> bytes:
    try:
        return jwe.decrypt_compact(text, key, registry=REGISTRY).plaintext or b""
    except (JoseError, ValueError, TypeError, AttributeError, KeyError) as error:
        raise NotOpened from error
