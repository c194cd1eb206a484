"""The keys that a package is checked with, as they are given on the command line: a text, or a file that holds it."""

from __future__ import annotations

import json
from base64 import b64decode, urlsafe_b64encode
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from claim_checker.reading import parsed


class KeyProblem(Exception):
    """A key cannot be read; the text says which and never repeats it."""


def public_keys(given: str) -> dict[str, Ed25519PublicKey]:
    """The platform's keys by id: base64 of the 32 bytes, PEM, or the JSON of `/exchange/v1/keys`, or a file of one."""
    try:
        text = _text(given)
        listed = [entry["public_key"] for entry in parsed(text.encode())["keys"]] if text.startswith("{") else [text]
        keys = [_public_key(one) for one in listed]
    except (ValueError, KeyError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyProblem("--key is no Ed25519 public key") from error
    return {key_id(key): key for key in keys}


def private_key(given: str) -> ECKey:
    """The insurer's own key: PEM or JWK, in a file."""
    try:
        text = Path(given).read_text()
        key = ECKey.import_key(parsed(text.encode()) if text.lstrip().startswith("{") else text)
    except (OSError, ValueError, JoseError) as error:
        raise KeyProblem("--decrypt is no file with an EC private key") from error
    if not key.is_private:
        raise KeyProblem("--decrypt is a public key")
    return key


def key_id(key: Ed25519PublicKey) -> str:
    """The thumbprint of the key (RFC 7638, RFC 8037), which stands in what it signs."""
    x = urlsafe_b64encode(key.public_bytes_raw()).decode().rstrip("=")
    text = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": x}, separators=(",", ":"))
    return urlsafe_b64encode(sha256(text.encode()).digest()).decode().rstrip("=")


def _public_key(text: str) -> Ed25519PublicKey:
    if "BEGIN" not in text:
        return Ed25519PublicKey.from_public_bytes(b64decode(text, validate=True))
    key = load_pem_public_key(text.encode())
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("another kind of key")
    return key


def _text(given: str) -> str:
    path = Path(given)
    try:
        return path.read_text().strip() if path.is_file() else given.strip()
    except OSError:
        return given.strip()  # a key may be longer than a file's name
