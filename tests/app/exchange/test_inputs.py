"""Whatever a partner sends under a right signature, the answer is clear, never a 500, and repeats nothing of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from app.core.settings import Settings
from app.core.work import Runtime
from app.exchange.service import NewParty, put_partner, put_party
from app.factory import create_app
from app.wiring import make_runtime
from tests.app.partner import PartnerClient, batch
from tests.examples import costly
from workers.routes import ROUTES

SECRET = "whsec_" + "c2VjcmV0" * 4
GOOD: dict[str, Any] = {
    "/batches": batch(1, "ledger", [{"type": "ledger", "key": "C1", "version": 1, "data": {"amount_fen": 1}}]),
    "/batches/verdicts": {"batch_no": 1},
    "/commands/poll": {"max": 10, "wait_ms": 0, "lanes": ["a"]},
    "/commands/answers": {
        "answers": [{"id": str(uuid4()), "outcome": "done", "code": None, "message": "x", "body": {}}]
    },
    "/messages": {"type": "claim.case_opened", "data": {"claim_no": "CL1"}},
    "/requests": {"request_no": "Q1", "hospital": "H1", "kind": "record.visit", "data": {}},
    "/requests/answers/poll": {"cursor": 0, "max": 10},
    "/changes/poll": {"cursor": 0, "max": 10, "wait_ms": 0},
    "/changes/ack": {"cursor": 0},
}
SECRETS = ("110101199003070000", "13800138000")


@pytest.fixture(scope="module")
def exchange(module_database_url: str, redis_url: str) -> Iterator[FlaskClient]:
    """One exchange for the whole module."""
    made = Settings(database_url=module_database_url, redis_url=redis_url, partner_limit="1000000 per minute")
    runtime: Runtime = make_runtime(made, routes=ROUTES, ring=lambda kinds: None)
    with runtime.work() as work:
        put_party(work, NewParty("hospital", "H1", "医院"))
        for code in ("I1", "I2"):
            put_partner(work, put_party(work, NewParty("insurer", code, "保险")), f"{code}-core", SECRET)
    yield create_app(runtime).test_client()
    runtime.database.dispose()


@pytest.fixture(scope="module")
def insurer(exchange: FlaskClient) -> PartnerClient:
    """Each example of hypothesis brings its own message; some are good enough to be taken."""
    return PartnerClient(exchange, "I1-core", SECRET)


@pytest.fixture(scope="module")
def newcomer(exchange: FlaskClient) -> PartnerClient:
    """Nothing that it sends was sent before with another content."""
    return PartnerClient(exchange, "I2-core", SECRET)


def assert_clear(insurer: PartnerClient, route: str, text: str) -> None:
    answer = insurer.post(route, text)
    assert answer.status_code < 500, (answer.status_code, answer.json)
    if answer.status_code >= 400:
        assert set(answer.json) == {"code", "message", "request_id", "fields"}
        shown = answer.get_data(as_text=True)
        assert not [secret for secret in SECRETS if secret in shown]


WRONG_TEXT = [
    "",
    "null",
    "[]",
    "42",
    '"text"',
    "{",
    "{}garbage",
    '{"a": 1',
    "\ufeff{}",
    "[" * 100_000,
    '{"a":' * 10_000,
    '{"batch_no": ' + "9" * 5000 + "}",
    '{"batch_no": 1e400}',
    '{"batch_no": NaN}',
    '{"cursor": -1}',
    '{"cursor": 99999999999999999999999}',
    '{"cursor": true}',
    '{"cursor": "1"}',
    '{"lanes": ["\\u0000"]}',
    '{"lanes": ["\\ud800"]}',
    '{"type": "claim.case_opened", "data": {"a": "\\u0000"}}',
    '{"type": "claim.case_opened", "data": {"\\u0000": "\\ud800"}}',
    '{"type": "claim.case_opened", "data": {"a": ' + "9" * 4000 + "}}",
    '{"type": "claim.case_opened", "data": {"a": NaN, "b": -Infinity}}',
    '{"110101199003070000": "13800138000"}',
    '{"type": "110101199003070000", "data": "13800138000"}',
]


@pytest.mark.parametrize("route", GOOD)
def test_what_is_good_is_taken(newcomer: PartnerClient, route: str) -> None:
    assert newcomer.post(route, GOOD[route]).status_code in (200, 202, 404)


@pytest.mark.parametrize("route", GOOD)
def test_what_is_no_contract_is_refused_clearly(insurer: PartnerClient, route: str) -> None:
    for text in WRONG_TEXT:
        assert_clear(insurer, route, text)


NOT_A_NUMBER: dict[str, dict[str, Any]] = {
    "/messages": GOOD["/messages"] | {"data": {"deep": ["HERE"]}},
    "/requests": GOOD["/requests"] | {"data": {"deep": ["HERE"]}},
    "/commands/answers": {"answers": [{"id": str(uuid4()), "outcome": "done", "body": {"deep": {"er": "HERE"}}}]},
    "/batches": batch(
        2, "ledger", [{"type": "ledger", "key": "C1", "version": 1, "data": {"amount_fen": 1, "rate": "HERE"}}]
    ),
}


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "9" * 400 + ".0"])
@pytest.mark.parametrize("route", NOT_A_NUMBER)
def test_what_is_no_number_is_never_kept(insurer: PartnerClient, route: str, number: str) -> None:
    answer = insurer.post(route, json.dumps(NOT_A_NUMBER[route]).replace('"HERE"', number))
    assert (answer.status_code, answer.json["code"]) == (422, "not_a_number")


Json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(SECRETS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)


@pytest.mark.parametrize("route", GOOD)
@costly
@given(data=st.data())
def test_one_field_may_hold_anything(insurer: PartnerClient, route: str, data: st.DataObject) -> None:
    body = json.loads(json.dumps(GOOD[route]))
    place = body
    while True:
        key = data.draw(st.sampled_from(sorted(place)) if isinstance(place, dict) else st.integers(0, len(place) - 1))
        if isinstance(place[key], dict | list) and place[key] and data.draw(st.booleans()):
            place = place[key]
            continue
        place[key] = data.draw(Json)
        break
    assert_clear(insurer, route, json.dumps(body))


@costly
@given(text=st.text(max_size=200))
def test_any_text_at_all(insurer: PartnerClient, text: str) -> None:
    text = text.encode("utf-8", "ignore").decode()
    assert_clear(insurer, "/messages", text)


def test_the_wrong_method_or_address_is_told_in_the_same_shape(insurer: PartnerClient) -> None:
    answers: list[tuple[Any, int]] = [
        (insurer.client.get("/exchange/v1/batches"), 405),
        (insurer.client.post("/exchange/v1/nothing"), 404),
    ]
    for answer, status in answers:
        assert answer.status_code == status
        assert set(answer.json) == {"code", "message", "request_id", "fields"}
