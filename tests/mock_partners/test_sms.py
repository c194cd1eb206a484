"""The SMS gateway takes templates from whoever holds the key, once per number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from mock_partners.sms import Sms

KEY = {"Authorization": "Bearer sms-key"}


@pytest.fixture
def sms() -> Iterator[Sms]:
    with Sms({"key": "sms-key"}) as double:
        assert isinstance(double, Sms)
        yield double


def message(**more: Any) -> dict[str, Any]:
    known = {"out_id": "N1", "sign": "直赔", "template_id": "T1", "phone": "13800138000", "params": {"code": "123456"}}
    return {**known, **more}


def test_a_message_is_taken_once(sms: Sms) -> None:
    url = f"{sms.url}/v1/messages"
    first = httpx.post(url, json=message(), headers=KEY)
    assert first.status_code == 200
    assert httpx.post(url, json=message(), headers=KEY).json() == first.json()
    assert httpx.post(url, json=message(template_id="T2"), headers=KEY).status_code == 409
    assert [m["phone"] for m in httpx.get(f"{sms.url}/__mock__/state/messages").json().values()] == ["13800138000"]


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer other"}, {"Authorization": "sms-key"}])
def test_nobody_else_may_send(sms: Sms, headers: dict[str, str]) -> None:
    assert httpx.post(f"{sms.url}/v1/messages", json=message(), headers=headers).status_code == 401
    assert sms.messages == []


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"phone": "1380013800"}, "phone_invalid"),
        ({"phone": "１３８00138000"}, "phone_invalid"),
        ({"sign": ""}, "template_unknown"),
        ({"params": {"text": "长" * 36}}, "params_invalid"),
        ({"params": {"count": 3}}, "params_invalid"),
        ({"params": None}, "malformed"),
        ({"phone": None}, "malformed"),
    ],
)
def test_what_a_gateway_would_refuse_is_refused(sms: Sms, wrong: dict[str, Any], code: str) -> None:
    answer = httpx.post(f"{sms.url}/v1/messages", json=message(**wrong), headers=KEY)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_a_lost_answer_is_asked_for_again_and_is_the_same_message(sms: Sms) -> None:
    sms.fail("/v1/messages", drop="after")
    with pytest.raises(httpx.TransportError):
        httpx.post(f"{sms.url}/v1/messages", json=message(), headers=KEY)
    assert httpx.post(f"{sms.url}/v1/messages", json=message(), headers=KEY).status_code == 200
    assert len(sms.messages) == 1


def test_people_see_what_was_sent(sms: Sms) -> None:
    assert "还没有收到" in httpx.get(f"{sms.url}/inbox").text
    httpx.post(f"{sms.url}/v1/messages", json=message(params={"code": "<i>1"}), headers=KEY)
    page = httpx.get(f"{sms.url}/inbox").text
    assert "【直赔】T1：&lt;i&gt;1" in page and "13800138000" in page
