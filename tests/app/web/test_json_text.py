from __future__ import annotations

import json

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from app.web.json_text import StrictJson, holds_nul

reader = StrictJson(Flask(__name__))


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_what_is_json_is_read(value: object) -> None:
    if "\\u0000" not in json.dumps(value):
        assert reader.loads(json.dumps(value)) == value
        assert reader.loads(reader.dumps(value).encode()) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[" * 100_000,
        '{"a":' * 10_000,
        '["\\ud800"]',
        "[NaN]",
        "[Infinity]",
        '{"a": [-1e400]}',
        "9" * 5000,
        '["\\u0000"]',
        b"\xff",
    ],
)
def test_what_could_not_be_kept_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError):
        reader.loads(text)


def test_no_route_falls_over_it(client: FlaskClient) -> None:
    for text in ("[" * 100_000, '{"app_id": "\\ud800"}', '{"app_id": "\\u0000"}', "NaN"):
        answer = client.post("/api/v1/login/mini", data=text, content_type="application/json")
        assert (answer.status_code, answer.json and answer.json["code"]) == (400, "bad_request")


@pytest.mark.parametrize(
    ("value", "found"),
    [("a\0b", True), ("\\\0", True), ("\0", True), ("\\u0000", False), ("\\\\u0000", False), ("plain", False)],
)
def test_nul_is_seen_and_nothing_that_only_looks_like_it(value: str, found: bool) -> None:
    assert holds_nul(json.dumps({"a": value})) is found


@given(st.text(alphabet="\\u0\0x", max_size=12))
def test_nul_is_seen_exactly_when_it_is_there(value: str) -> None:
    assert holds_nul(json.dumps([value])) is ("\0" in value)
