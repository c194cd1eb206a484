"""SMS through the live client, against the double."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.core.errors import PartnerFault
from app.gateways.http import Http
from app.gateways.sms import SIGNATURE, Sms
from mock_partners.sms import Sms as Gateway

KEY = "sms-key"


@pytest.fixture(scope="module")
def double() -> Iterator[Gateway]:
    double = Gateway({"key": KEY})
    double.start()
    yield double
    double.stop()


@pytest.fixture
def sms(double: Gateway) -> Sms:
    return Sms(Http("sms", 2.0), double.url, KEY)


def test_a_message_names_its_template_and_signature(sms: Sms, double: Gateway) -> None:
    assert sms.send("out-1", "13900000001", "SMS_CODE", {"code": "123456"})
    sent = double.messages[-1]
    assert (sent["sign"], sent["template_id"], sent["params"]) == (SIGNATURE, "SMS_CODE", {"code": "123456"})


def test_the_same_number_again_is_the_same_message(sms: Sms, double: Gateway) -> None:
    before = len(double.messages)
    first = sms.send("out-2", "13900000001", "SMS_CODE", {})
    assert sms.send("out-2", "13900000001", "SMS_CODE", {}) == first
    assert len(double.messages) == before + 1


@pytest.mark.parametrize(
    ("out_id", "phone", "key", "code", "permanent"),
    [("out-3", "123", KEY, "phone_invalid", True), ("out-4", "13900000001", "wrong", "key_invalid", False)],
)
def test_a_refusal_of_the_message_is_for_good_and_one_of_the_key_is_not(
    double: Gateway, out_id: str, phone: str, key: str, code: str, permanent: bool
) -> None:
    with pytest.raises(PartnerFault) as refused:
        Sms(Http("sms", 2.0), double.url, key).send(out_id, phone, "SMS_CODE", {})
    assert (refused.value.code, refused.value.permanent) == (code, permanent)
    assert phone not in str(refused.value)


def test_a_provider_in_trouble_is_asked_again(sms: Sms, double: Gateway) -> None:
    double.fail("/v1/messages", status=503)
    with pytest.raises(PartnerFault) as failed:
        sms.send("out-5", "13900000001", "SMS_CODE", {})
    assert not failed.value.permanent
