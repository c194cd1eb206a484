"""What a call's failure means: not sent, sent and unknown, refused for good, to be asked again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Response
from standardwebhooks import Webhook

from app.core.errors import PartnerFault
from app.core.local_server import free_port
from app.gateways.http import Http, sign, signed
from mock_partners.double import Double

SECRET = "whsec_" + "b3V0" * 8


class Echo(Double):
    def __init__(self) -> None:
        super().__init__("echo")
        self.app.add_url_rule(
            "/x", "x", lambda: Response('{"ok": true}', mimetype="application/json"), methods=["POST"]
        )


@pytest.fixture(scope="module")
def double() -> Iterator[Echo]:
    with Echo() as double:
        assert isinstance(double, Echo)
        yield double


@pytest.fixture
def http() -> Iterator[Http]:
    http = Http("echo", 0.5)
    yield http
    http.close()


def fault_of(http: Http, url: str) -> PartnerFault:
    with pytest.raises(PartnerFault) as raised:
        http.ask("POST", url, json={})
    return raised.value


def test_a_success_is_its_json(http: Http, double: Echo) -> None:
    assert http.ask("POST", f"{double.url}/x", json={}) == {"ok": True}


def test_nobody_there_was_not_sent(http: Http) -> None:
    fault = fault_of(http, f"http://127.0.0.1:{free_port()}/x")
    assert (fault.code, fault.permanent, fault.unknown) == ("not_reached", False, False)


@pytest.mark.parametrize("how", [{"drop": "before"}, {"drop": "after"}, {"delay_s": 1.0}])
def test_no_answer_is_unknown(http: Http, double: Echo, how: dict[str, Any]) -> None:
    double.fail("/x", **how)
    fault = fault_of(http, f"{double.url}/x")
    assert (fault.permanent, fault.unknown) == (False, True)


@pytest.mark.parametrize(
    ("status", "permanent", "unknown"),
    [
        (302, False, True),
        (400, True, False),
        (401, False, False),
        (403, False, False),
        (404, False, False),
        (408, False, True),
        (409, True, False),
        (413, False, False),
        (422, True, False),
        (429, False, False),
        (500, False, True),
        (502, False, True),
        (503, False, True),
        (504, False, True),
    ],
)
def test_what_a_status_means(http: Http, double: Echo, status: int, permanent: bool, unknown: bool) -> None:
    double.fail("/x", status=status, body={"code": "why", "message": "张三"}, headers={"Location": "/elsewhere"})
    fault = fault_of(http, f"{double.url}/x")
    assert (fault.code, fault.permanent, fault.unknown) == ("why", permanent, unknown)
    assert "张三" not in str(fault)


@pytest.mark.parametrize("body", ["", "not json", "[]", '"text"', '{"code": 5}'])
def test_a_refusal_without_a_code_has_its_status(http: Http, double: Echo, body: str) -> None:
    double.fail("/x", status=422, body=body)
    assert fault_of(http, f"{double.url}/x").code == ("5" if "code" in body and body[0] == "{" else "http_422")


@pytest.mark.parametrize("body", ["<html>", "[" * 100_000, '{"amount_fen": 1e400}', '{"no": "\\ud800"}'])
def test_a_success_that_cannot_be_read_is_unknown(http: Http, double: Echo, body: str) -> None:
    double.fail("/x", status=200, body=body)
    fault = fault_of(http, f"{double.url}/x")
    assert (fault.code, fault.unknown) == ("not_json", True)


def test_an_empty_success_is_an_empty_object(http: Http, double: Echo) -> None:
    double.fail("/x", status=204)
    assert http.ask("POST", f"{double.url}/x", json={}) == {}


def test_what_we_send_is_signed_over_the_bytes_that_are_sent(http: Http, double: Echo) -> None:
    http.ask("POST", f"{double.url}/x", **signed(SECRET, "msg_1", {"name": "张三", "fen": 1}))
    sent = double.journal[-1]["body"]
    assert json.loads(sent) == {"name": "张三", "fen": 1}
    headers = sign(SECRET, "msg_1", sent)
    assert Webhook(SECRET).verify(sent, headers) == {"name": "张三", "fen": 1}
    assert abs(int(headers["webhook-timestamp"]) - datetime.now(UTC).timestamp()) < 5
