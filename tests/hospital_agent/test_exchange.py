"""What the client signs, and what it makes of the exchange's answers."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from hospital_agent import clock, exchange
from hospital_agent.errors import AgentError, ConfigError, Refused, Temporary
from hospital_agent.exchange import BadAnswer, ExchangeClient, Link, NotTrusted

SECRET = "whsec_" + "c2VjcmV0" * 4


def test_what_is_signed_can_be_verified() -> None:
    client = ExchangeClient(Link("http://127.0.0.1:9", "H1-agent", SECRET))
    headers = client._signed("M1", '{"a":"张"}')
    assert Webhook(SECRET).verify('{"a":"张"}', headers) == {"a": "张"}
    assert (headers["Zhipei-Partner"], headers["webhook-id"]) == ("H1-agent", "M1")


@pytest.mark.parametrize("secret", ["whsec_", "whsec_é", "whsec_a"])
def test_a_secret_that_is_none_is_named(secret: str) -> None:
    with pytest.raises(ConfigError, match="whsec_"):
        ExchangeClient(Link("http://127.0.0.1:9", "H1-agent", secret))


@pytest.mark.parametrize(
    ("status", "body", "error", "code"),
    [
        (401, {"code": "unauthorised"}, NotTrusted, "not_trusted"),
        (409, {"code": "batch_no_reused", "message": "…"}, Refused, "batch_no_reused"),
        (422, {}, Refused, "http_422"),
        (500, "<html>", Temporary, "exchange_500"),
        (200, "<html>", Temporary, "exchange_bad_answer"),
        (200, [], BadAnswer, ""),
    ],
)
def test_every_status_has_its_meaning(status: int, body: Any, error: type[AgentError], code: str) -> None:
    content = body if isinstance(body, str) else json.dumps(body)
    with pytest.raises(error) as caught:
        exchange._read(httpx.Response(status, content=content))
    assert type(caught.value) is error
    assert not code or caught.value.code == code  # type: ignore[attr-defined]


@pytest.mark.parametrize(("header", "seconds"), [("3", 3.0), ("9999", 60.0), ("tomorrow", 0.0)])
def test_retry_after_is_honoured_within_reason(header: str, seconds: float) -> None:
    with pytest.raises(Temporary) as caught:
        exchange._read(httpx.Response(429, headers={"Retry-After": header}))
    assert caught.value.retry_after_s == seconds


def test_an_exchange_that_is_away_is_a_temporary_failure() -> None:
    client = ExchangeClient(Link("http://127.0.0.1:9", "H1-agent", SECRET))
    with pytest.raises(Temporary, match="exchange_unreachable"):
        client.poll(1, 0, None)


@pytest.mark.parametrize("waited_ms", [0, 1500])
def test_what_holds_an_answer_up_does_not_put_a_deadline_off(monkeypatch: pytest.MonkeyPatch, waited_ms: int) -> None:
    """The process is stopped, or the answer trickles in."""
    now_s = [100.0]
    monkeypatch.setattr(clock, "steady_s", lambda: now_s[0])

    def late(_: httpx.Request) -> httpx.Response:
        now_s[0] += 30
        command = {"id": "C1", "kind": "trial", "lane": "trial", "seq": 1, "left_ms": 10_000, "body": {}}
        return httpx.Response(200, json={"waited_ms": waited_ms, "commands": [command]})

    client = ExchangeClient(Link("http://127.0.0.1:9", "M1-agent", SECRET))
    client._http = httpx.Client(base_url="http://127.0.0.1:9", transport=httpx.MockTransport(late))
    [command] = client.poll(1, 2000, None)
    assert command.deadline_s == 110 + waited_ms / 1000 < now_s[0]
