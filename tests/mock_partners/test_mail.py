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


def test_people_see_a_mail_with_its_picture_and_get_its_file(mail: Mail) -> None:
    assert "还没有收到" in httpx.get(f"{mail.url}/inbox").text
    post(mail, letter(subject="<b>对账</b>"))
    page = httpx.get(f"{mail.url}/inbox").text
    assert "&lt;b&gt;对账" in page and 'href="/inbox/1"' in page and 'href="/inbox/1/1"' in page
    shown = httpx.get(f"{mail.url}/inbox/1")
    assert f'<img src="data:image/png;base64,{PNG["content_base64"]}">' in shown.text
    assert "default-src 'none'" in shown.headers["content-security-policy"], "a letter runs nothing"
    file = httpx.get(f"{mail.url}/inbox/1/1")
    assert file.content == b"PK"
    assert "%E5%AF%B9%E8%B4%A6.xlsx" in file.headers["content-disposition"]


@pytest.mark.parametrize("path", ["/inbox/0", "/inbox/2", "/inbox/1/0", "/inbox/1/2"])
def test_a_mail_or_file_that_is_not_there_is_not_found(mail: Mail, path: str) -> None:
    post(mail, letter())
    assert httpx.get(f"{mail.url}{path}").status_code == 404


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
