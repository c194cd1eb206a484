"""The mail gateway: HTML with inline pictures and attachments, checked as a mail server would."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mock_partners.answers import Refused, missing
from mock_partners.couriers import Courier

ADDRESS = re.compile(r"[^@\s]+@[^@\s]+", re.ASCII)
CID = re.compile(r"""["']cid:([^"']+)["']""")
LARGEST_BYTES = 20 * 1024 * 1024


class Mail(Courier):
    fields = ("out_id", "from", "to", "subject", "html", "inline", "attachments")

    def __init__(self, gateway: Mapping[str, Any], *, state_dir: Path | None = None) -> None:
        super().__init__("mail", gateway, "/v1/mails", state_dir=state_dir)

    def check(self, message: Mapping[str, Any]) -> None:
        addresses = [message["from"], *message["to"]]
        if not message["to"] or not all(ADDRESS.fullmatch(address) for address in addresses):
            raise Refused(422, "address_invalid", "邮件地址不正确")
        if not message["subject"] or "\n" in message["subject"]:
            raise Refused(422, "subject_invalid", "主题不正确")
        sizes = [_size(part, ("cid", "content_type")) for part in message["inline"]]
        sizes += [_size(part, ("name", "content_type")) for part in message["attachments"]]
        if sum(sizes) > LARGEST_BYTES:
            raise Refused(413, "mail_too_large", "邮件过大")
        if set(CID.findall(message["html"])) - {part["cid"] for part in message["inline"]}:
            raise Refused(422, "picture_missing", "正文引用的图片不存在")


def _size(part: Mapping[str, Any], names: tuple[str, str]) -> int:
    """Bytes of one inline picture or attachment; raises Refused if it is none."""
    try:
        if not missing(part, (*names, "content_base64")):
            return len(base64.b64decode(part["content_base64"], validate=True))
    except (binascii.Error, TypeError):
        pass
    raise Refused(422, "part_invalid", "附件或图片格式不正确")
