"""Operators over HTTP: password, one-time password, lock, roles."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pyotp
import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from werkzeug.test import TestResponse

from app.core.work import Runtime
from app.identity.operators import service
from app.identity.operators.service import NewOperator

PASSWORD = "correct horse battery staple"


@pytest.fixture
def made(runtime: Runtime, seeded: dict[str, Any]) -> Any:
    """Makes operators: `made("claims")` gives (login, TOTP)."""

    def make(*roles: str) -> tuple[str, pyotp.TOTP]:
        login, secret = f"op-{uuid.uuid4().hex[:12]}", pyotp.random_base32()
        with runtime.work() as work:
            service.add_operator(work, NewOperator(login, roles, None, PASSWORD, secret))
        return login, pyotp.TOTP(secret)

    return make


def _log_in(client: FlaskClient, login: str, totp: str, password: str = PASSWORD) -> TestResponse:
    body = {"login": login, "password": password, "totp": totp}
    return client.post("/api/v1/operator/login", json=body)


def _headers(tokens: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}", "Idempotency-Key": uuid.uuid4().hex}


def _code(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["code"]


def test_an_operator_logs_in_works_refreshes_and_leaves(client: FlaskClient, made: Any) -> None:
    login, totp = made("claims", "finance")
    tokens = _log_in(client, login, totp.now()).get_json()
    me = client.get("/api/v1/operator/me", headers=_headers(tokens)).get_json()
    assert (me["login"], sorted(me["roles"]), me["party_id"]) == (login, ["claims", "finance"], None)
    refreshed = client.post("/api/v1/operator/refresh", json={"refresh_token": tokens["refresh_token"]}).get_json()
    assert client.get("/api/v1/operator/me", headers=_headers(refreshed)).status_code == 200
    assert client.post("/api/v1/operator/logout", headers=_headers(refreshed)).status_code == 200
    assert _code(client.get("/api/v1/operator/me", headers=_headers(refreshed))) == (401, "session_ended")


def test_a_reused_refresh_token_ends_the_session(client: FlaskClient, made: Any) -> None:
    login, totp = made("claims")
    tokens = _log_in(client, login, totp.now()).get_json()
    body = {"refresh_token": tokens["refresh_token"]}
    assert client.post("/api/v1/operator/refresh", json=body).status_code == 200
    assert client.post("/api/v1/operator/refresh", json=body).status_code == 401
    assert client.get("/api/v1/operator/me", headers=_headers(tokens)).status_code == 401


def test_whatever_is_wrong_the_answer_is_the_same(client: FlaskClient, made: Any) -> None:
    login, totp = made("claims")
    attempts = [
        _log_in(client, login, totp.now(), "wrong password"),
        _log_in(client, login, f"{(int(totp.now()) + 1) % 1_000_000:06d}"),
        _log_in(client, "nobody-of-that-name", totp.now()),
    ]
    answers = {(one.status_code, one.get_json()["code"], one.get_json()["message"]) for one in attempts}
    assert answers == {(401, "login_failed", "账号、密码或动态口令不正确")}


def test_a_one_time_password_counts_once(client: FlaskClient, made: Any, runtime: Runtime) -> None:
    login, totp = made("claims")
    now = runtime.clock.now()
    assert _log_in(client, login, totp.at(now)).status_code == 200
    assert _code(_log_in(client, login, totp.at(now))) == (401, "login_failed")
    assert _code(_log_in(client, login, totp.at(now - timedelta(seconds=30)))) == (401, "login_failed")
    assert _log_in(client, login, totp.at(now + timedelta(seconds=30))).status_code == 200  # a phone that is fast
    assert _code(_log_in(client, login, totp.at(now + timedelta(seconds=120)))) == (401, "login_failed")


@pytest.mark.parametrize("known", [True, False])
def test_five_failures_lock_the_name_known_or_not(
    client: FlaskClient, made: Any, runtime: Runtime, known: bool
) -> None:
    login, totp = made("claims")
    name = login if known else f"nobody-{uuid.uuid4().hex[:8]}"
    for _ in range(5):
        assert _code(_log_in(client, name, totp.now(), "wrong")) == (401, "login_failed")
    locked = _log_in(client, name, totp.now())
    assert _code(locked) == (429, "login_locked") and 0 < int(locked.headers["Retry-After"]) <= 901
    with time_machine.travel(runtime.clock.now() + timedelta(minutes=15, seconds=1)):
        assert _log_in(client, name, totp.now()).status_code == (200 if known else 401)


def test_a_success_forgets_earlier_failures(client: FlaskClient, made: Any, runtime: Runtime) -> None:
    login, totp = made("claims")
    for shift in (0, 60):
        with time_machine.travel(runtime.clock.now() + timedelta(seconds=shift)):
            for _ in range(4):
                _log_in(client, login, totp.now(), "wrong")
            assert _log_in(client, login, totp.now()).status_code == 200


def test_roles_open_doors(client: FlaskClient, made: Any, runtime: Runtime) -> None:
    def tokens(*roles: str) -> dict[str, Any]:
        login, totp = made(*roles)
        found: dict[str, Any] = _log_in(client, login, totp.now()).get_json()
        return found

    admin, guard, clerk = tokens("administrator"), tokens("security"), tokens("claims")
    new: dict[str, Any] = {
        "login": f"new-{uuid.uuid4().hex[:8]}",
        "password": "a long enough password",
        "roles": ["claims"],
        "party": "I1",
    }
    for who in (guard, clerk):
        answer = client.post("/api/v1/operator/operators", json=new, headers=_headers(who))
        assert _code(answer) == (403, "not_allowed")
    made_one = client.post("/api/v1/operator/operators", json=new, headers=_headers(admin))
    assert made_one.status_code == 201
    again = client.post("/api/v1/operator/operators", json=new, headers=_headers(admin))
    assert _code(again) == (409, "login_taken")
    mixed = {**new, "login": "mixed", "roles": ["administrator", "auditor"]}
    refused = client.post("/api/v1/operator/operators", json=mixed, headers=_headers(admin))
    assert _code(refused) == (422, "roles_exclude")

    totp = pyotp.parse_uri(made_one.get_json()["totp_uri"])
    assert isinstance(totp, pyotp.TOTP)
    session = _log_in(client, new["login"], totp.now(), new["password"]).get_json()
    assert client.get("/api/v1/operator/me", headers=_headers(session)).get_json()["party_id"]
    stop = f"/api/v1/operator/operators/{made_one.get_json()['id']}/stop"
    assert client.post(stop, headers=_headers(admin)).status_code == 403
    assert client.post(stop, headers=_headers(guard)).get_json()["active"] is False
    assert client.get("/api/v1/operator/me", headers=_headers(session)).status_code == 401
    with time_machine.travel(runtime.clock.now() + timedelta(seconds=60)):
        assert _log_in(client, new["login"], totp.now(), new["password"]).status_code == 401
    assert client.get("/api/v1/operator/operators", headers=_headers(guard)).status_code == 200


@pytest.mark.parametrize("roles", [("administrator", "security"), ("auditor", "claims"), ("chef",), ()])
def test_roles_that_exclude_each_other_are_refused(made: Any, roles: tuple[str, ...]) -> None:
    with pytest.raises(Exception, match="roles_exclude"):
        made(*roles)


def test_the_database_excludes_them_too(runtime: Runtime, made: Any) -> None:
    login, _ = made("claims")
    with runtime.read() as session:
        operator_id = service.operator_by_login(session, login)
    add = text("INSERT INTO operator_role (operator_id, role, duty) VALUES (:id, :role, :duty)")
    for role, duty in (("auditor", "auditor"), ("auditor", "business"), ("chef", "business")):
        with pytest.raises(IntegrityError, match=r"role_fits_duty|fk_operator_role"), runtime.work() as work:
            work.session.execute(add, {"id": operator_id, "role": role, "duty": duty})
    with pytest.raises(IntegrityError, match="fk_operator_role"), runtime.work() as work:
        work.session.execute(text("UPDATE operator SET duty = 'auditor' WHERE id = :id"), {"id": operator_id})


def test_a_session_ends_after_twelve_hours(client: FlaskClient, made: Any, runtime: Runtime) -> None:
    login, totp = made("claims")
    tokens = _log_in(client, login, totp.now()).get_json()
    with time_machine.travel(runtime.clock.now() + timedelta(hours=12, seconds=1)):
        body = {"refresh_token": tokens["refresh_token"]}
        assert client.post("/api/v1/operator/refresh", json=body).status_code == 401


def test_malformed_logins_are_422_and_never_500(client: FlaskClient, seeded: dict[str, Any]) -> None:
    bodies: tuple[Any, ...] = (
        {},
        {"login": "x"},
        {"login": "a\u0000b", "password": "x", "totp": "123456"},
        [],
        None,
        {"login": 1, "password": 2, "totp": 3},
    )
    for body in bodies:
        answer = client.post("/api/v1/operator/login", json=body)
        assert answer.status_code in (400, 401, 422), body


def test_what_was_sent_stands_in_no_log(
    client: FlaskClient, seeded: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    answer = client.post("/api/v1/operator/login", json={"login": "zhao\u0000min", "password": "x", "totp": "123456"})
    assert answer.status_code in (400, 422)
    assert "zhao" not in caplog.text
