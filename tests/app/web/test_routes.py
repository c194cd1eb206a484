"""Routes as every feature makes them: one shape of errors, one answer per key, ETags, audited questions."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from apiflask import APIBlueprint, APIFlask
from flask import Request
from flask.testing import FlaskClient
from pydantic import BaseModel, ConfigDict, StrictInt
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app import create_app
from app.core.errors import CommitUnknown, Conflict, PartnerFault, Throttled, Unauthorised
from app.core.work import Runtime, Work
from app.gateways import Gateways
from app.web.routes import command, door, question
from app.web.site import ACCOUNT, OPERATOR, PUBLIC, Caller
from tests.app.kit import value

ALICE, BOB = uuid4(), uuid4()
KEY = {"Idempotency-Key": "key-0001"}


class ThingIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    amount_fen: StrictInt
    fail: str = ""


class ThingView(BaseModel):
    amount_fen: int
    who: str


def _blueprint(made: list[int]) -> APIBlueprint:
    bp = APIBlueprint("thing", __name__, url_prefix="/api/v1/things")

    @command(bp, "", door(ACCOUNT), body=ThingIn, out=ThingView, status=201)
    def make(work: Work, caller: Caller, body: ThingIn) -> ThingView:
        """造一个"""
        made.append(body.amount_fen)
        work.audit("thing.make", "thing", uuid4())
        _fail(body.fail)
        return ThingView(amount_fen=body.amount_fen, who=str(caller.id))

    @question(bp, "/<uuid:thing_id>", door(ACCOUNT), out=ThingView)
    def read(session: Session, caller: Caller, thing_id: UUID) -> ThingView:
        """读"""
        return ThingView(amount_fen=thing_id.int % 7, who=str(caller.id))

    @question(bp, "/secret", door(ACCOUNT), out=ThingView, audited=True)
    def secret(work: Work, caller: Caller) -> ThingView:
        """读敏感数据"""
        work.audit("read.thing", "thing", caller.id)
        return ThingView(amount_fen=1, who=str(caller.id))

    @question(bp, "/office", door(OPERATOR, roles=("finance",)), out=ThingView)
    def office(session: Session, caller: Caller) -> ThingView:
        """财务才能看"""
        return ThingView(amount_fen=1, who=str(caller.id))

    @command(bp, "/open", door(PUBLIC), body=ThingIn, out=ThingView)
    def open_to_all(work: Work, caller: None, body: ThingIn) -> ThingView:
        """谁都可以"""
        return ThingView(amount_fen=body.amount_fen, who="-")

    return bp


def _fail(how: str) -> None:
    faults: dict[str, Exception] = {
        "conflict": Conflict("thing_taken", "已被占用", fields={"amount_fen": "已用"}),
        "throttled": Throttled("slow_down", "请稍后", retry_after_s=7),
        "partner": PartnerFault("hospital", "http_500", unknown=True),
        "unknown": CommitUnknown(),
        "bug": ZeroDivisionError("13800138000"),
    }
    if how in faults:
        raise faults[how]


def _who(request: Request, _: Runtime) -> Caller:
    names = {"alice": ALICE, "bob": BOB}
    found = names.get(request.headers.get("X-Who", ""))
    if found is None:
        raise Unauthorised("token_missing", "请先登录")
    return Caller("account", found)


def _clerk(request: Request, _: Runtime) -> Caller:
    return Caller("operator", ALICE, roles=frozenset(request.headers.get("X-Roles", "").split()))


@pytest.fixture
def made() -> list[int]:
    return []


@pytest.fixture
def app(runtime: Runtime, gateways: Gateways, made: list[int]) -> APIFlask:
    app = create_app(runtime, gateways)
    app.register_blueprint(_blueprint(made))
    app.extensions["zhipei"].authenticate = {"account": _who, "operator": _clerk}
    return app


@pytest.fixture
def browser(app: APIFlask) -> Iterator[FlaskClient]:
    with app.test_client() as browser:
        yield browser


def _make(browser: FlaskClient, who: str = "alice", key: str = "key-0001", **body: object) -> TestResponse:
    headers = {"X-Who": who, "Idempotency-Key": key}
    return browser.post("/api/v1/things", json={"amount_fen": 3, **body}, headers=headers)


def test_first_answer_is_given_again(browser: FlaskClient, made: list[int]) -> None:
    first, second = _make(browser), _make(browser)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.get_json() == second.get_json() == {"amount_fen": 3, "who": str(ALICE)}
    assert made == [3]


def test_a_key_belongs_to_its_caller(browser: FlaskClient, made: list[int]) -> None:
    assert _make(browser).get_json()["who"] == str(ALICE)
    assert _make(browser, who="bob").get_json()["who"] == str(BOB)
    assert made == [3, 3]


def test_a_key_means_one_request(browser: FlaskClient, made: list[int]) -> None:
    _make(browser)
    other = _make(browser, amount_fen=4)
    assert (other.status_code, other.get_json()["code"]) == (422, "idempotency_key_reused")
    assert made == [3]


def test_a_failed_request_keeps_no_answer(browser: FlaskClient, made: list[int], runtime: Runtime) -> None:
    assert _make(browser, fail="conflict").status_code == 409
    assert value(runtime, "SELECT count(*) FROM idempotency_key") == 0
    assert value(runtime, "SELECT count(*) FROM audit_entry WHERE action = 'thing.make'") == 0


def test_stored_answers_are_encrypted(browser: FlaskClient, runtime: Runtime) -> None:
    _make(browser)
    sealed = value(runtime, "SELECT response_sealed FROM idempotency_key")
    assert sealed.startswith("v1.") and "amount_fen" not in sealed


@pytest.mark.parametrize("key", ["", "short", "x" * 129, "wört-0001"])
def test_a_command_needs_a_key(browser: FlaskClient, key: str, made: list[int]) -> None:
    headers = {"X-Who": "alice"} | ({"Idempotency-Key": key.encode().decode("latin-1")} if key else {})
    answer = browser.post("/api/v1/things", json={"amount_fen": 3}, headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "idempotency_key_required")
    assert made == []


def test_same_key_at_once_is_one_effect(app: APIFlask, made: list[int]) -> None:
    answers: list[TestResponse] = []

    def ask() -> None:
        with app.test_client() as browser:
            answers.append(_make(browser))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert [answer.status_code for answer in answers] == [201] * 6
    assert made == [3]


def test_public_commands_carry_no_key(browser: FlaskClient) -> None:
    assert browser.post("/api/v1/things/open", json={"amount_fen": 3}).get_json() == {"amount_fen": 3, "who": "-"}


def test_etag_saves_the_body(browser: FlaskClient) -> None:
    path, who = f"/api/v1/things/{uuid4()}", {"X-Who": "alice"}
    first = browser.get(path, headers=who)
    again = browser.get(path, headers=who | {"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code, again.get_data()) == (200, 304, b"")
    assert first.headers["Cache-Control"] == "private, no-cache"


def test_sensitive_reads_are_audited(browser: FlaskClient, runtime: Runtime) -> None:
    assert browser.get("/api/v1/things/secret", headers={"X-Who": "alice"}).status_code == 200
    who = value(runtime, "SELECT actor_kind || ':' || actor_id FROM audit_entry WHERE action = 'read.thing'")
    assert who == f"account:{ALICE}"


def test_roles_are_needed(browser: FlaskClient) -> None:
    assert browser.get("/api/v1/things/office", headers={"X-Roles": "claims"}).status_code == 403
    assert browser.get("/api/v1/things/office", headers={"X-Roles": "claims finance"}).status_code == 200


@pytest.mark.parametrize(
    ("fail", "status", "code"),
    [
        ("conflict", 409, "thing_taken"),
        ("throttled", 429, "slow_down"),
        ("partner", 503, "partner_unavailable"),
        ("unknown", 503, "outcome_unknown"),
        ("bug", 500, "internal"),
    ],
)
def test_errors_have_one_shape(browser: FlaskClient, fail: str, status: int, code: str) -> None:
    answer = _make(browser, fail=fail)
    body = answer.get_json()
    assert (answer.status_code, body["code"]) == (status, code)
    assert set(body) == {"code", "message", "request_id", "fields"}
    assert body["request_id"] == answer.headers["X-Request-Id"]
    assert "13800138000" not in answer.get_data(as_text=True)


def test_retry_after_is_told(browser: FlaskClient) -> None:
    assert _make(browser, fail="throttled").headers["Retry-After"] == "7"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"amount_fen": "3"}, "amount_fen"),
        ({"amount_fen": 3.5}, "amount_fen"),
        ({}, "amount_fen"),
        ({"amount_fen": 3, "310101199001011234": 1}, "_"),
        ([], "_"),
    ],
)
def test_bad_bodies_name_the_field_and_echo_nothing(browser: FlaskClient, body: object, field: str) -> None:
    answer = browser.post("/api/v1/things", json=body, headers={"X-Who": "alice", **KEY})
    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid")
    assert list(answer.get_json()["fields"]) == [field]
    assert "310101199001011234" not in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/api/v1/nowhere", 404), ("DELETE", "/api/v1/things", 405), ("GET", "/api/v1/things/not-a-uuid", 404)],
)
def test_http_errors_have_the_shape_too(browser: FlaskClient, method: str, path: str, status: int) -> None:
    answer = browser.open(path, method=method, headers={"X-Who": "alice"})
    assert answer.status_code == status
    assert set(answer.get_json()) == {"code", "message", "request_id", "fields"}


def test_malformed_json_is_a_clear_error(browser: FlaskClient) -> None:
    headers = {"X-Who": "alice", "Content-Type": "application/json", **KEY}
    answer = browser.post("/api/v1/things", data=b'{"amount_fen": 3', headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "bad_request")


@pytest.mark.parametrize("body", [{"amount_fen": 3}, {"nothing": "fits"}])
def test_strangers_learn_nothing(browser: FlaskClient, made: list[int], body: dict[str, object]) -> None:
    answer = browser.post("/api/v1/things", json=body, headers=KEY)
    assert (answer.status_code, answer.get_json()["code"]) == (401, "token_missing")
    assert made == []
