"""The mail gateway checks addresses, pictures and attachments, and takes each mail once."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from mock_partners.mail import Mail

KEY = {"Authorization": "Bearer mail-key"}
PNG = {"cid": "chart", "content_type": "image/png", "content_base64": base64.b64encode(b"png").decode()}
XLSX = {"name": "对账.xlsx", "content_type": "application/octet-stream", "content_base64": "UEs="}


@pytest.fixture
def mail() -> Iterator[Mail]:
    with Mail({"key": "mail-key", "from": "zhipei@example.com"}) as double:
        assert isinstance(double, Mail)
        yield double


def letter(**more: Any) -> dict[str, Any]:
    return {
        "out_id": "N1",
        "from": "zhipei@example.com",
        "to": ["claims@example.com"],
        "subject": "对账报告",
        "html": "<p>平</p><img src='cid:chart'>",
        "inline": [PNG],
        "attachments": [XLSX],
        **more,
    }


def post(mail: Mail, body: dict[str, Any]) -> httpx.Response:
    return httpx.post(f"{mail.url}/v1/mails", json=body, headers=KEY)


def test_a_mail_is_taken_once_with_all_its_parts(mail: Mail) -> None:
    first = post(mail, letter())
    assert first.status_code == 200
    assert post(mail, letter()).json() == first.json()
    assert post(mail, letter(subject="x")).status_code == 409
    assert mail.messages[0]["attachments"][0]["name"] == "对账.xlsx"


def test_the_key_is_needed(mail: Mail) -> None:
    assert httpx.post(f"{mail.url}/v1/mails", json=letter()).status_code == 401


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"to": []}, "address_invalid"),
        ({"to": ["a b@example.com"]}, "address_invalid"),
        ({"subject": "a\nBcc: x@example.com"}, "subject_invalid"),
        ({"inline": []}, "picture_missing"),
        ({"attachments": [{**XLSX, "content_base64": "*"}]}, "part_invalid"),
        ({"attachments": [{"name": "x"}]}, "part_invalid"),
        ({"to": None}, "malformed"),
    ],
)
def test_what_a_server_would_refuse_is_refused(mail: Mail, wrong: dict[str, Any], code: str) -> None:
    answer = post(mail, letter(**wrong))
    assert (answer.status_code, answer.json()["code"]) == (422, code)
