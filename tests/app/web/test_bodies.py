from __future__ import annotations

import gzip
import tracemalloc

import pytest
from flask import Request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType
from werkzeug.test import EnvironBuilder

from app.web.bodies import read_text

LIMIT = 1000


def sent(data: bytes, encoding: str | None = None) -> Request:
    headers = [] if encoding is None else [("Content-Encoding", encoding)]
    return Request(EnvironBuilder(method="POST", data=data, headers=headers).get_environ())


@pytest.mark.parametrize("text", ["", "直赔", "x" * LIMIT])
def test_reads_plain_and_compressed_text(text: str) -> None:
    assert read_text(sent(text.encode()), LIMIT) == text
    assert read_text(sent(text.encode(), "identity"), LIMIT) == text
    assert read_text(sent(gzip.compress(text.encode()), "GZIP"), LIMIT) == text


def test_refuses_what_is_too_long_before_and_after_inflating() -> None:
    for data, encoding in ((b"x" * (LIMIT + 1), None), (gzip.compress(b"x" * (LIMIT + 1)), "gzip")):
        with pytest.raises(RequestEntityTooLarge):
            read_text(sent(data, encoding), LIMIT)


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
    with pytest.raises(UnsupportedMediaType):
        read_text(sent(b"x", "br"), LIMIT)
    with pytest.raises(BadRequest):
        read_text(sent(b"\xff"), LIMIT)
