"""What must never be seen, and a way to look for all of it in a lot of text quickly.

A finding names the kind and a fingerprint, never the text itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from demo.invariants.scene import Scene

_SHORTEST_SECRET = 12
# Whatever a world keeps under such a name is a secret of ours or of an owner's.
_SECRET_NAMES = ("secret", "token", "aes_key", "private_key_pem", "apiv3_key", "password", "totp_secret", "key")
_PUBLIC = ("public_key", "package_public_keys")
# Runs of digits as long as the shortest number that is looked for, with the X of an identity number.
_DIGITS = re.compile(r"[0-9]{11,}[Xx]?")
_CHINESE = re.compile(r"[㐀-鿿豈-﫿\U00020000-\U0003ffff·]{2,}")
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}")
_ACCESS_TOKEN = re.compile(r"access_token=(?!\*)[A-Za-z0-9_-]{8,}")


@dataclass(frozen=True)
class Needles:
    """Sorted by how they are looked for: numbers as whole runs of digits, Chinese names in runs of Chinese, other
    names and secrets as parts of the text."""

    numbers: frozenset[str]
    chinese: frozenset[str]
    names: frozenset[str]
    secrets: frozenset[str]

    def in_text(self, text: str) -> set[str]:
        """What was found, named without being told: `number 1f3a`, `secret 77ab`, `JWT`."""
        found = {f"number {_print(run)}" for run in _runs(text) if run in self.numbers}
        chinese = "\n".join(dict.fromkeys(_CHINESE.findall(text)))
        found |= {f"name {_print(name)}" for name in self.chinese if name in chinese} if chinese else set()
        found |= {f"name {_print(name)}" for name in self.names if name in text}
        found |= {f"secret {_print(secret)}" for secret in self.secrets if secret in text}
        return found | ({"a JWT"} if _JWT.search(text) else set())


def in_log(needles: Needles, text: str) -> set[str]:
    """As `in_text`; WeChat's access token, which stands in its URLs by protocol, is masked in a log."""
    return needles.in_text(text) | ({"an access token"} if _ACCESS_TOKEN.search(text) else set())


def needles(scene: Scene) -> Needles:
    """Of the population, the world's secrets, the master key and the access tokens that WeChat has given out."""
    texts = {text.strip() for text in scene.population if len(text.strip()) > 1}
    numbers = {text for text in texts if _DIGITS.fullmatch(text)}
    chinese = {text for text in texts if _CHINESE.fullmatch(text)}
    secrets = {piece for value in _secrets(scene.world) for piece in _pieces(value)}
    secrets |= {part.split(":", 1)[-1] for part in scene.master_key.split(",") if part}
    secrets |= set(scene.state("wechat", "access_token"))
    return Needles(
        frozenset(numbers | {number.lower() for number in numbers}),
        frozenset(chinese),
        frozenset(texts - numbers - chinese),
        frozenset(secret for secret in secrets if len(secret) >= _SHORTEST_SECRET),
    )


def _runs(text: str) -> Iterator[str]:
    """Runs of digits; one with a country code is looked at without it too."""
    for run in set(_DIGITS.findall(text)):
        yield run
        if len(run) == 13 and run.startswith("86"):
            yield run[2:]


def _secrets(value: Any, name: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key not in _PUBLIC:
                yield from _secrets(inner, key)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _secrets(inner, name)
    elif isinstance(value, str) and name in _SECRET_NAMES:
        yield value


def _pieces(secret: str) -> Iterable[str]:
    """A key in PEM shows in any of its longer lines, a webhook secret also without its prefix."""
    if "-----" in secret:
        return [line for line in secret.splitlines() if len(line) > 40 and "-----" not in line]
    return [secret.removeprefix("whsec_")]


def _print(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:8]
