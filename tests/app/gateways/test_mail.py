"""E-mail through the live client, against the double."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator

import pytest

from app.core.errors import PartnerFault
from app.core.letters import File, Letter
from app.gateways.http import Http
from app.gateways.mail import Mail
from mock_partners.mail import Mail as Gateway

KEY = "mail-key"
PICTURE = File("chart", "image/png", b"\x89PNG")
SHEET = File("对账.xlsx", "application/vnd.ms-excel", bytes(range(256)))
LETTER = Letter(["a@example.com", "b@example.com"], "对账日报", '<img src="cid:chart">', [PICTURE], [SHEET])


@pytest.fixture(scope="module")
def double() -> Iterator[Gateway]:
    double = Gateway({"key": KEY})
    double.start()
    yield double
    double.stop()


@pytest.fixture
def mail(double: Gateway) -> Mail:
    return Mail(Http("mail", 2.0), double.url, KEY, "zhipei@example.com")


def test_a_letter_arrives_whole(mail: Mail, double: Gateway) -> None:
    assert mail.send("out-1", LETTER)
    sent = double.messages[-1]
    assert (sent["from"], sent["to"], sent["subject"]) == ("zhipei@example.com", list(LETTER.to), "对账日报")
    assert sent["inline"][0]["cid"] == "chart" and sent["attachments"][0]["name"] == "对账.xlsx"
    assert b64decode(sent["attachments"][0]["content_base64"]) == SHEET.content


def test_the_same_number_again_is_the_same_letter(mail: Mail, double: Gateway) -> None:
    before = len(double.messages)
    assert mail.send("out-2", LETTER) == mail.send("out-2", LETTER)
    assert len(double.messages) == before + 1


@pytest.mark.parametrize(
    ("letter", "code"),
    [
        (Letter([], "x", "x"), "address_invalid"),
        (Letter(["nobody"], "x", "x"), "address_invalid"),
        (Letter(["a@example.com"], "x", '<img src="cid:gone">'), "picture_missing"),
    ],
)
def test_a_letter_that_cannot_be_delivered_is_refused_for_good(mail: Mail, letter: Letter, code: str) -> None:
    with pytest.raises(PartnerFault) as refused:
        mail.send("out-3", letter)
    assert (refused.value.code, refused.value.permanent) == (code, True)
