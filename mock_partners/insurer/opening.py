"""The insurer's own keys, and a package as it arrives: what was encrypted to the insurer is opened and put back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwe import JWERegistry
from joserfc.jwk import ECKey

from mock_partners.answers import missing

ALGORITHMS = ["ECDH-ES+A256KW", "A256GCM"]
# What the guide says that one part or file may have before it is encrypted.
MAX_BYTES = 16 * 1024 * 1024


class _Messages(JWERegistry):
    """These algorithms alone, so no `zip` that a small message could grow by. joserfc's own limit is 64 KB."""

    max_ciphertext_length = MAX_BYTES * 4 // 3 + 4  # in base64url


REGISTRY = _Messages(algorithms=ALGORITHMS)


class Unopened(Exception):
    """A part or file that none of the insurer's keys opens; `name` says which."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True)
class Opened:
    """A package in plain text: {"manifest", "parts"}, and its files by SHA-256."""

    package: dict[str, Any]
    files: dict[str, bytes]


class Keyring:
    """The private keys that packages may be encrypted to, by the id that stands in each message."""

    def __init__(self, pems: Iterable[str] = ()) -> None:
        self._keys: dict[str, ECKey] = {}
        for pem in pems:
            self.add(pem)

    def add(self, pem: str) -> None:
        key = ECKey.import_key(pem)
        self._keys[key.thumbprint()] = key

    def open(self, package: Any) -> Opened:
        """ValueError for what is no package, Unopened for what cannot be decrypted or is not the file it is called."""
        if missing(package, ("manifest", "parts")) or not isinstance(package["parts"], dict):
            raise ValueError("not a package")
        parts = {name: json.loads(self._decrypt(name, text)) for name, text in package.get("encrypted", {}).items()}
        files = {digest: self._decrypt(digest, text) for digest, text in package.get("attachments", {}).items()}
        for digest, content in files.items():
            if hashlib.sha256(content).hexdigest() != digest:
                raise Unopened(digest)
        return Opened({"manifest": package["manifest"], "parts": {**package["parts"], **parts}}, files)

    def _decrypt(self, name: str, text: str) -> bytes:
        try:
            return jwe.decrypt_compact(text, self._find, registry=REGISTRY).plaintext or b""
        except (JoseError, KeyError, ValueError) as error:
            raise Unopened(name) from error

    def _find(self, message: Any) -> ECKey:
        return self._keys[message.headers()["kid"]]


def make_package_key() -> dict[str, Any]:
    """A `package_key` entry of the world: the public key as a JWK, the private one as PEM."""
    key = ECKey.generate_key("P-256")
    public: Mapping[str, Any] = key.as_dict(private=False)
    return {
        "public": {name: public[name] for name in ("kty", "crv", "x", "y")},
        "private_key_pem": key.as_pem(private=True).decode(),
    }
