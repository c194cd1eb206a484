"""E-mail as the features write it and the mail gateway sends it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class File:
    """An inline picture (`name` is its content id) or an attachment."""

    name: str
    content_type: str
    content: bytes

    def to_json(self, named: str) -> dict[str, str]:
        encoded = b64encode(self.content).decode()
        return {named: self.name, "content_type": self.content_type, "content_base64": encoded}


@dataclass(frozen=True)
class Letter:
    """HTML may show an inline picture as `cid:<its name>`."""

    to: Sequence[str]
    subject: str
    html: str
    inline: Sequence[File] = ()
    attachments: Sequence[File] = ()
