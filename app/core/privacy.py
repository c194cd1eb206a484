"""Personal data: encrypted fields, blind indexes, keyed check fields, masks. All keys derive from the master key.

A sealed value is `v1.<key id>.<nonce>.<ciphertext>` (AES-256-GCM, NIST SP 800-38D) with `table:column:row` as
associated data, so that a value copied to another row or column does not open. A blind index is an HMAC-SHA-256 of the
normalised value: equal values are found, nothing is read back. A check field is an HMAC over a row's key columns.
"""

from __future__ import annotations

import hmac
import json
import os
from base64 import b64decode, urlsafe_b64encode
from binascii import a2b_base64
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.core.errors import Tampered

# Made once: json.dumps with options makes an encoder each time.
_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_FROM_URL = bytes.maketrans(b"-_", b"+/")  # base64.urlsafe_b64decode takes five times as long
_spaced = json.JSONEncoder(ensure_ascii=False).encode


class Privacy:
    """`master_keys` is `id:base64[,id:base64…]`: the first seals, all open; the last is the oldest and feeds the
    blind index and the check fields, which must not change when a new key is put in front."""

    def __init__(self, master_keys: str) -> None:
        pairs = [item.partition(":")[::2] for item in master_keys.split(",")]
        try:
            keys = {key_id: b64decode(encoded, validate=True) for key_id, encoded in pairs}
        except ValueError:
            keys = {}
        if len(keys) != len(pairs) or any(len(key) != 32 for key in keys.values()) or "" in keys:
            raise ValueError("MASTER_KEY is id:key[,id:key…], each key 32 bytes in base64") from None
        self._current = pairs[0][0]
        self._fields = {key_id: AESGCM(_derive(key, b"field")) for key_id, key in keys.items()}
        oldest = keys[pairs[-1][0]]
        self._index_key, self._check_key = _derive(oldest, b"index"), _derive(oldest, b"check")
        self.token_key = _derive(keys[self._current], b"token")
        self.signing_seed = _derive(oldest, b"package-signature")

    def seal(self, value: str, where: str) -> str:
        """Encrypt `value` for its place, `where` = `table:column:row id`."""
        nonce = os.urandom(12)
        sealed = self._fields[self._current].encrypt(nonce, value.encode(), where.encode())
        return f"v1.{self._current}.{_text(nonce)}.{_text(sealed)}"

    def open(self, sealed: str, where: str) -> str:
        """Decrypt. Tampered if the value was changed or moved, or its key is not in the ring."""
        try:
            version, key_id, nonce, body = sealed.split(".")
            if version != "v1":
                raise ValueError(version)
            return self._fields[key_id].decrypt(_bytes(nonce), _bytes(body), where.encode()).decode()
        except (ValueError, KeyError, InvalidTag) as error:
            raise Tampered(where) from error

    def seal_json(self, value: Any, where: str) -> str:
        return self.seal(_json(value), where)

    def open_json(self, sealed: str, where: str) -> Any:
        return json.loads(self.open(sealed, where))

    def index(self, value: str, kind: str) -> str:
        """The blind index of a normalised value; `kind` keeps equal texts of different fields apart."""
        return hmac.digest(self._index_key, f"{kind}\0{value}".encode(), "sha256").hex()

    def check(self, table: str, columns: Mapping[str, Any]) -> str:
        """The keyed check field of one row over `columns` (name -> value)."""
        text = _spaced([table, sorted([(name, _plain(value)) for name, value in columns.items()])])
        return hmac.digest(self._check_key, text.encode(), "sha256").hex()

    def checks(self, table: str, columns: Mapping[str, Sequence[Any]]) -> list[str]:
        """As `check` of each of many rows, given column by column."""
        pairs = ", ".join(f"[{_spaced(name)}, %s]" for name in sorted(columns))
        row = f"[{_spaced(table)}, [{pairs}]]"
        keyed = HMAC(self._check_key, SHA256())
        found = []
        for values in zip(*(_written(columns[name]) for name in sorted(columns)), strict=True):
            one = keyed.copy()  # the key is read in once; a copy of the standard library's takes twice as long
            one.update((row % values).encode())
            found.append(one.finalize().hex())
        return found


def _written(column: Sequence[Any]) -> Sequence[str]:
    """As JSON. A text is written once, however often it stands in the column."""
    if (types := set(map(type, column))) == {int}:
        return list(map(str, column))
    if types != {str}:
        return [_spaced(_plain(value)) for value in column]
    texts = {value: _spaced(value) for value in set(column)}
    return [texts[value] for value in column]


def _derive(key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"zhipei/" + purpose).derive(key)


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, int | str) else str(value)


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return a2b_base64(text.encode().translate(_FROM_URL) + b"==")  # what it does not need of these it passes over


def mask_name(name: str) -> str:
    """张三丰 -> 张**."""
    return name[:1] + "*" * max(len(name) - 1, 1)


def mask_number(number: str, *, head: int = 3, tail: int = 4) -> str:
    """13812345678 -> 138****5678; short numbers lose everything but their last digit."""
    if len(number) <= head + tail:
        return "*" * (len(number) - 1) + number[-1:]
    return number[:head] + "*" * (len(number) - head - tail) + number[-tail:]
