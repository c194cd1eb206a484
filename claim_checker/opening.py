"""What is encrypted to the insurer: compact JWE (RFC 7516), ECDH-ES+A256KW and A256GCM."""

from __future__ import annotations

from typing import Any

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

ALGORITHMS = ["ECDH-ES+A256KW", "A256GCM"]


class NotOpened(Exception):
    """It is no JWE, was altered, or was encrypted to another key."""


def decrypt(text: Any, key: ECKey) -> bytes:
    try:
        return jwe.decrypt_compact(text, key, algorithms=ALGORITHMS).plaintext or b""
    except (JoseError, ValueError, TypeError, AttributeError, KeyError) as error:
        raise NotOpened from error
