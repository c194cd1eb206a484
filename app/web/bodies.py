"""Reading a request's body, also when it is compressed, without ever holding more than was allowed."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

from flask import Request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from app.core.errors import Unreadable

_GZIP = 16 + zlib.MAX_WBITS


class WholeRequest(Request):
    """Refuses a body without `Content-Length` that is over the limit: werkzeug would hand out its beginning as if it
    were all."""

    def get_data(self, *how: Any, **named: Any) -> Any:
        """As in werkzeug. Raises 413."""
        body = super().get_data(*how, **named)
        if self.content_length is None:
            limit = self.max_content_length
            if limit is not None and len(body) >= limit and self.environ["wsgi.input"].read(1):
                raise RequestEntityTooLarge
        return body


@dataclass(frozen=True)
class TextBody:
    """A body and the text that it is in UTF-8: a long one is neither encoded nor decoded again. `gzipped` is what came,
    if that was compressed."""

    data: bytes
    text: str
    gzipped: bytes | None = None


def read_text(request: Request, max_bytes: int) -> TextBody:
    """The body, inflated if `Content-Encoding` is gzip, as UTF-8. At most `max_bytes` before and after inflating.

    Raises Unreadable for another encoding, 400 and 413 as werkzeug's exceptions.
    """
    request.max_content_length = max_bytes
    body, gzipped = request.get_data(cache=False), None
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding == "gzip":
        body, gzipped = _inflate(body, max_bytes), body
    elif encoding != "identity":
        raise Unreadable("encoding_unsupported", "内容只能不压缩，或用 gzip 压缩（Content-Encoding: gzip）")
    try:
        return TextBody(body, body.decode(), gzipped)
    except UnicodeDecodeError as error:
        raise BadRequest from error


def _inflate(body: bytes, max_bytes: int) -> bytes:
    """One gzip member (RFC 1952); never more than one byte above the limit is made."""
    engine = zlib.decompressobj(_GZIP)
    try:
        text = engine.decompress(body, max_bytes + 1)
    except zlib.error as error:
        raise BadRequest from error
    if len(text) > max_bytes:
        raise RequestEntityTooLarge
    if not engine.eof or engine.unused_data:
        raise BadRequest
    return text
