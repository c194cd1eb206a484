"""The mail gateway: HTML with inline pictures and attachments, checked as a mail server would."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flask import Response

from mock_partners.answers import Refused, missing
from mock_partners.couriers import Courier

ADDRESS = re.compile(r"[^@\s]+@[^@\s]+", re.ASCII)
CID = re.compile(r"""["']cid:([^"']+)["']""")
SHOWN_ONLY = {"Content-Security-Policy": "default-src 'none'; img-src data:; style-src 'unsafe-inline'"}
LARGEST_BYTES = 20 * 1024 * 1024


class Mail(Courier):
    title = "收到的邮件"
    fields = ("out_id", "from", "to", "subject", "html", "inline", "attachments")

    def __init__(self, gateway: Mapping[str, Any], *, state_dir: Path | None = None) -> None:
        super().__init__("mail", gateway, "/v1/mails", state_dir=state_dir)
        self.app.add_url_rule("/inbox/<int:number>", "letter", self._letter)
        self.app.add_url_rule("/inbox/<int:number>/<int:place>", "file", self._file)

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

    def _letter(self, number: int) -> Response:
        """A letter as a mail program shows it: its pictures in their places, nothing fetched, nothing run."""
        message = _nth(self.messages, number)
        pictures = {p["cid"]: f"data:{p['content_type']};base64,{p['content_base64']}" for p in message["inline"]}
        html = CID.sub(lambda found: f'"{pictures[found[1]]}"', message["html"])
        return Response(html, headers=SHOWN_ONLY)

    def _file(self, number: int, place: int) -> Response:
        part = _nth(_nth(self.messages, number)["attachments"], place)
        name = f"attachment; filename*=UTF-8''{quote(part['name'], safe='')}"
        content = base64.b64decode(part["content_base64"])
        return Response(content, mimetype=part["content_type"], headers={"Content-Disposition": name})


def _nth(rows: Sequence[Any], number: int) -> Any:
    """The row with this number, the first being 1."""
    if not 1 <= number <= len(rows):
        raise Refused(404, "not_found", "没有找到")
    return rows[number - 1]


def _size(part: Mapping[str, Any], names: tuple[str, str]) -> int:
    """Bytes of one inline picture or attachment; raises Refused if it is none."""
    try:
        if not missing(part, (*names, "content_base64")):
            return len(base64.b64decode(part["content_base64"], validate=True))
    except (binascii.Error, TypeError):
        pass
    raise Refused(422, "part_invalid", "附件或图片格式不正确")
