from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.core.settings import Settings
from app.factory import create_app
from app.wiring import make_runtime


def client(redis_url: str, database_url: str, partner_limit: str, proxy_hops: int = 0) -> FlaskClient:
    settings = Settings(
        database_url=database_url, redis_url=redis_url, partner_limit=partner_limit, proxy_hops=proxy_hops
    )
    return create_app(make_runtime(settings, routes={}, ring=lambda kinds: None)).test_client()


@pytest.fixture
def silent_redis() -> Iterator[str]:
    """Takes connections and never answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(50)
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


def post(client: FlaskClient, partner: str = "H1-agent", **more: str) -> int:
    """A call that gets as far as the question who is asking."""
    headers = {"Zhipei-Partner": partner, **more}
    return client.post("/exchange/v1/changes/ack", json={}, headers=headers).status_code


@pytest.mark.parametrize(("hops", "last"), [(0, 429), (1, 401)])
def test_only_a_proxy_of_ours_says_who_calls(fresh_redis_url: str, database_url: str, hops: int, last: int) -> None:
    partner = client(fresh_redis_url, database_url, partner_limit="1 per minute", proxy_hops=hops)
    said = [{"X-Forwarded-For": f"9.9.9.9, 10.0.0.{number}"} for number in (1, 2)]
    assert [post(partner, **headers) for headers in said] == [401, last]


def test_a_caller_who_asks_too_often_is_told_to_wait(fresh_redis_url: str, database_url: str) -> None:
    partner = client(fresh_redis_url, database_url, partner_limit="3 per minute")
    assert [post(partner) for _ in range(4)] == [401, 401, 401, 429]
    assert post(partner, "H2-agent") == 401
    answer: Any = partner.post("/exchange/v1/changes/ack", headers={"Zhipei-Partner": "H1-agent"})
    assert answer.json["code"] == "too_many_requests" and int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize("broken", [False, True])
def test_calls_count_together_whatever_they_ask_for(fresh_redis_url: str, database_url: str, broken: bool) -> None:
    partner = client("redis://127.0.0.1:1/0" if broken else fresh_redis_url, database_url, partner_limit="3 per minute")
    routes = ("changes/ack", "messages", "batches", "requests", "commands/answers")
    headers = {"Zhipei-Partner": "H1-agent"}
    answers = [partner.post(f"/exchange/v1/{route}", json={}, headers=headers).status_code for route in routes]
    assert answers == [401, 401, 401, 429, 429]


def test_a_load_test_counts_no_callers_but_partners(fresh_redis_url: str, database_url: str) -> None:
    settings = Settings(
        database_url=database_url, redis_url=fresh_redis_url, caller_limit="off", partner_limit="3 per minute"
    )
    browser = create_app(make_runtime(settings, routes={}, ring=lambda kinds: None)).test_client()
    refresh = [browser.post("/api/v1/login/refresh", json={}).status_code for _ in range(5)]
    answers = [browser.post("/exchange/v1/messages", json={}).status_code for _ in range(5)]
    assert (refresh, answers) == ([422] * 5, [401, 401, 401, 429, 429])


@pytest.mark.parametrize("how", ["refused", "silent"])
def test_without_redis_requests_are_answered_and_still_counted(silent_redis: str, database_url: str, how: str) -> None:
    redis_url = silent_redis if how == "silent" else "redis://127.0.0.1:1/0"
    partner = client(redis_url, database_url, partner_limit="3 per minute")
    started = time.monotonic()
    assert [post(partner) for _ in range(5)] == [401, 401, 401, 429, 429]
    assert time.monotonic() - started < 30


def test_an_invented_token_is_no_other_caller_at_login(fresh_redis_url: str, database_url: str) -> None:
    settings = Settings(database_url=database_url, redis_url=fresh_redis_url, caller_limit="3 per minute")
    browser = create_app(make_runtime(settings, routes={}, ring=lambda kinds: None)).test_client()
    answers = [
        browser.post("/api/v1/login/refresh", json={}, headers={"Authorization": f"Bearer invented-{number}"})
        for number in range(5)
    ]
    assert [answer.status_code for answer in answers] == [422, 422, 422, 429, 429]
