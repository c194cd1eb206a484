"""Encrypting to a partner: compact JWE (RFC 7516), ECDH-ES+A256KW over P-256 and A256GCM.

The partner's public key is a JWK (RFC 7517); its thumbprint (RFC 7638) stands in each message as `kid`, so that the
partner knows which of its private keys opens it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

ALGORITHMS = ["ECDH-ES+A256KW", "A256GCM"]
CURVE = "P-256"
# The most that one message holds. Whoever opens it has to allow as much, and the libraries' own limits are lower: the
# guides name this one, and the claim checker and the examples have it too.
MAX_BYTES = 16 * 1024 * 1024


def read_public_key(jwk: Mapping[str, Any]) -> dict[str, str]:
    """The members of a public key that count, with its thumbprint as `kid`. ValueError for a private key, another kind
    of key, or one that is not on its curve; the error never repeats the key."""
    if "d" in jwk:
        raise ValueError("this is a private key: give the public one")
    if jwk.get("kty") != "EC" or jwk.get("crv") != CURVE:
        raise ValueError(f"the key must be an EC key on {CURVE}")
    try:
        key = ECKey.import_key({name: str(jwk[name]) for name in ("kty", "crv", "x", "y")})
        key.public_key  # noqa: B018 - reading it puts the point on its curve
    except (JoseError, KeyError, ValueError) as error:
        raise ValueError("the key cannot be read") from error
    return {name: str(jwk[name]) for name in ("kty", "crv", "x", "y")} | {"kid": key.thumbprint()}


def encrypt(plain: bytes, jwk: Mapping[str, str]) -> str:
    """`plain` for the holder of the private key that belongs to `jwk` (as `read_public_key` gives it). ValueError for
    more than MAX_BYTES: nobody has to open that."""
    if len(plain) > MAX_BYTES:
        raise ValueError("more than one message holds")
    header = {"alg": ALGORITHMS[0], "enc": ALGORITHMS[1], "kid": jwk["kid"]}
    members: dict[str, str | list[str]] = {name: jwk[name] for name in ("kty", "crv", "x", "y")}
    return jwe.encrypt_compact(header, plain, ECKey.import_key(members), algorithms=ALGORITHMS)
