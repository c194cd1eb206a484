from __future__ import annotations

import gzip
import tracemalloc
from io import BytesIO
from typing import Any

import pytest
from flask import Request
from flask.testing import FlaskClient
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge
from werkzeug.test import EnvironBuilder

from app.core.errors import Unreadable
from app.web.bodies import TextBody, WholeRequest, read_text

LIMIT = 1000


def chunked(data: bytes, **headers: str) -> dict[str, Any]:
    """What a test client posts as a server hands on a body of which nobody said how long it is."""
    return {
        "input_stream": BytesIO(data),
        "headers": {"Content-Type": "application/json", "Transfer-Encoding": "chunked"} | headers,
        "environ_overrides": {"wsgi.input_terminated": True},
    }


def sent(data: bytes, encoding: str | None = None) -> Request:
    headers = [] if encoding is None else [("Content-Encoding", encoding)]
    return Request(EnvironBuilder(method="POST", data=data, headers=headers).get_environ())


@pytest.mark.parametrize("text", ["", "直赔", "x" * LIMIT])
def test_reads_plain_and_compressed_text(text: str) -> None:
    whole = TextBody(text.encode(), text)
    assert read_text(sent(text.encode()), LIMIT) == whole
    assert read_text(sent(text.encode(), "identity"), LIMIT) == whole
    gzipped = gzip.compress(text.encode())
    assert read_text(sent(gzipped, "GZIP"), LIMIT) == TextBody(text.encode(), text, gzipped)


def test_refuses_what_is_too_long_before_and_after_inflating() -> None:
    for data, encoding in ((b"x" * (LIMIT + 1), None), (gzip.compress(b"x" * (LIMIT + 1)), "gzip")):
        with pytest.raises(RequestEntityTooLarge):
            read_text(sent(data, encoding), LIMIT)


@pytest.mark.parametrize("over", [0, 1, LIMIT])
def test_refuses_what_is_too_long_without_saying_so(over: int) -> None:
    environ = EnvironBuilder(method="POST", input_stream=BytesIO(b"x" * (LIMIT + over))).get_environ()
    request = WholeRequest(environ | {"wsgi.input_terminated": True})
    if not over:
        assert read_text(request, LIMIT).text == "x" * LIMIT
        return
    with pytest.raises(RequestEntityTooLarge):
        read_text(request, LIMIT)


@pytest.mark.parametrize(
    ("path", "most"), [("/api/v1/login/mini", 16), ("/exchange/v1/messages", 8), ("/wechat/pay/1900000001", 16)]
)
def test_every_kind_of_route_refuses_it_alike_and_names_its_limit(client: FlaskClient, path: str, most: int) -> None:
    long = b'"' + b"x" * (16 * 1024 * 1024) + b'"'
    for how in ({"data": long, "content_type": "application/json"}, chunked(long)):
        answer: Any = client.post(path, **how)
        assert (answer.status_code, answer.json["code"]) == (413, "too_large")
        assert answer.json["message"] == f"内容太大，一次请求最多 {most} MB"


def test_a_bomb_takes_no_memory() -> None:
    bomb = gzip.compress(bytes(200_000_000), 9)
    tracemalloc.start()
    with pytest.raises(RequestEntityTooLarge):
        read_text(sent(bomb, "gzip"), 1_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


BROKEN = {
    "not compressed": b"no gzip at all",
    "cut short": gzip.compress(b"cut short")[:-4],
    "two members": gzip.compress(b"one") + gzip.compress(b"two"),
    "a tail": gzip.compress(b"one") + b"tail",
    "no text": gzip.compress(b"\xff\xfe"),
    "nothing": b"",
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_refuses_what_is_no_single_compressed_text(data: bytes) -> None:
    with pytest.raises(BadRequest):
        read_text(sent(data, "gzip"), LIMIT)


def test_refuses_other_encodings_and_other_characters() -> None:
    with pytest.raises(Unreadable, match="encoding_unsupported"):
        read_text(sent(b"x", "br"), LIMIT)
    with pytest.raises(BadRequest):
        read_text(sent(b"\xff"), LIMIT)
