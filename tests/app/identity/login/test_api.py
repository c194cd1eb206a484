"""Logging in over HTTP, against the WeChat double."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
import time_machine

from app.identity.login import api
from app.identity.login.rules import make_state
from tests.app.identity.kit import Clinic


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Revocations are read at every request."""
    monkeypatch.setattr(api.revocations, "max_age_s", -1.0)


def test_the_same_user_comes_back_to_the_same_account(clinic: Clinic) -> None:
    user = clinic.user()
    first, again, elsewhere = clinic.log_in(user=user), clinic.log_in(user=user), clinic.log_in("H2", user)
    assert first.account_id == again.account_id != elsewhere.account_id
    assert first.tokens["access_token"] != again.tokens["access_token"]
    assert first.get("/bindings").status_code == 200
    assert first.tokens["expires_in_s"] == 900


def test_the_login_page_is_wechats_and_comes_back_to_us(clinic: Clinic) -> None:
    answer = clinic.client.get("/api/v1/login/state", query_string={"app_id": clinic.app_id()}).get_json()
    url = answer["authorize_url"]
    assert url.startswith(f"{clinic.wechat.url}/connect/oauth2/authorize?appid={clinic.app_id()}&redirect_uri=http%3A")
    assert url.endswith(f"&response_type=code&scope=snsapi_base&state={answer['state']}#wechat_redirect")
    assert answer["state"].isalnum() and len(answer["state"]) <= 128
    assert clinic.client.get("/api/v1/login/state", query_string={"app_id": "wx0000000000"}).status_code == 404
    assert clinic.client.get("/api/v1/login/state").status_code == 422


def test_a_state_counts_once_for_one_app_and_ten_minutes(clinic: Clinic) -> None:
    def attempt(state: str) -> tuple[int, str]:
        body = {"app_id": clinic.app_id(), "code": clinic.oauth_code(clinic.user()), "state": state}
        answer = clinic.client.post("/api/v1/login/oauth", json=body)
        return answer.status_code, answer.get_json().get("code", "")

    good = clinic.state()
    assert attempt(good)[0] == 200
    assert attempt(good) == (401, "state_used")
    forged = good[:-1] + ("0" if good[-1] != "0" else "1")
    assert attempt(forged) == (401, "state_invalid")
    assert attempt("abc") == (401, "state_invalid")
    assert attempt(clinic.state("H2")) == (401, "state_invalid")
    old = make_state(clinic.runtime.privacy, clinic.app_id(), clinic.runtime.clock.now() - timedelta(minutes=11))
    assert attempt(old) == (401, "state_invalid")


def test_wechats_refusals_of_a_code_are_told(clinic: Clinic) -> None:
    def attempt(code: str) -> tuple[int, str]:
        body = {"app_id": clinic.app_id(), "code": code, "state": clinic.state()}
        answer = clinic.client.post("/api/v1/login/oauth", json=body)
        return answer.status_code, answer.get_json().get("code", "")

    code = clinic.oauth_code(clinic.user())
    assert attempt(code)[0] == 200
    assert attempt(code) == (401, "code_used")
    assert attempt("0nobody") == (401, "code_invalid")
    assert attempt(clinic.oauth_code(clinic.user(), "H2")) == (401, "code_invalid")


def test_a_snapshot_page_makes_no_account(clinic: Clinic) -> None:
    user = clinic.user()
    code = clinic.oauth_code(user, snapshot=True)
    body = {"app_id": clinic.app_id(), "code": code, "state": clinic.state()}
    answer = clinic.client.post("/api/v1/login/oauth", json=body)
    assert (answer.status_code, answer.get_json()["code"]) == (403, "snapshot_user")
    assert "使用完整服务" in answer.get_json()["message"]
    assert clinic.rows("SELECT id FROM account WHERE openid = :openid", openid=clinic.openid(user)) == []


def test_a_mini_program_logs_in_with_its_own_code(clinic: Clinic) -> None:
    mini, user = clinic.app_id(kind="mini"), clinic.user()

    def attempt(app_id: str, who: str = user) -> tuple[int, dict[str, str]]:
        code = clinic.wechat.codes.issue("login", clinic.wechat.ground.apps[mini], who)
        answer = clinic.client.post("/api/v1/login/mini", json={"app_id": app_id, "code": code})
        return answer.status_code, answer.get_json()

    status, tokens = attempt(mini)
    assert status == 200 and attempt(mini)[1]["principal_id"] == tokens["principal_id"]
    found = clinic.rows("SELECT unionid FROM account WHERE id = :id", id=tokens["principal_id"])
    assert found == [(clinic.wechat.people.unionid(user, clinic.wechat.ground.apps[mini]),)]
    assert (attempt(clinic.app_id())[0], attempt(clinic.app_id())[1]["code"]) == (401, "app_not_mini")
    risky = clinic.user()
    clinic.wechat.people.save({**clinic.wechat.people.get(risky), "blocks": ["high_risk"]})
    assert attempt(mini, risky)[1]["code"] == "user_blocked"


def test_wechat_out_of_order_is_503_and_no_account(clinic: Clinic) -> None:
    user = clinic.user()
    for fault in (
        {"status": 502},
        {"drop": "after"},
        {"body": {"errcode": -1}, "status": 200},
        {"body": [], "status": 200},
    ):
        clinic.wechat.fail("/sns/oauth2/access_token", **fault)
        body = {"app_id": clinic.app_id(), "code": clinic.oauth_code(user), "state": clinic.state()}
        answer = clinic.client.post("/api/v1/login/oauth", json=body)
        assert (answer.status_code, answer.get_json()["code"]) == (503, "partner_unavailable"), fault
        assert answer.headers["Retry-After"]
    assert clinic.rows("SELECT id FROM account WHERE openid = :openid", openid=clinic.openid(user)) == []


def test_a_refresh_token_is_good_once_and_its_second_coming_ends_the_family(clinic: Clinic) -> None:
    patient = clinic.log_in()

    def refresh(token: str) -> tuple[int, dict[str, str]]:
        answer = clinic.client.post("/api/v1/login/refresh", json={"refresh_token": token})
        return answer.status_code, answer.get_json()

    status, second = refresh(patient.tokens["refresh_token"])
    assert status == 200 and second["principal_id"] == patient.tokens["principal_id"]
    status, third = refresh(second["refresh_token"])
    assert status == 200
    assert refresh(second["refresh_token"])[0] == 401  # somebody else has it too
    assert refresh(third["refresh_token"])[0] == 401
    answer = patient.get("/bindings")
    assert (answer.status_code, answer.get_json()["code"]) == (401, "session_ended")
    why = clinic.rows("SELECT revoked_why FROM login_session WHERE account_id = :id", id=patient.account_id)
    assert why == [("refresh_token_reused",)]
    assert refresh("nobody-has-ever-seen-this-token")[0] == 401


def test_logging_out_ends_this_session_only(clinic: Clinic) -> None:
    user = clinic.user()
    here, there = clinic.log_in(user=user), clinic.log_in(user=user)
    assert here.post("/logout").get_json() == {"done": True}
    assert here.get("/bindings").get_json()["code"] == "session_ended"
    body = {"refresh_token": here.tokens["refresh_token"]}
    assert clinic.client.post("/api/v1/login/refresh", json=body).status_code == 401
    assert there.get("/bindings").status_code == 200


def test_revocations_are_read_once_a_second(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.revocations, "max_age_s", 60.0)
    patient = clinic.log_in()
    assert patient.get("/bindings").status_code == 200
    patient.post("/logout")
    assert patient.get("/bindings").status_code == 200  # still trusted, for as long as max_age_s
    monkeypatch.setattr(api.revocations, "max_age_s", 0.0)
    assert patient.get("/bindings").status_code == 401


def test_what_is_no_token_is_refused(clinic: Clinic) -> None:
    for header in ("", "Bearer", "Bearer ", "Basic abc", "Bearer a.b.c", "Bearer " + "x" * 5000):
        answer = clinic.client.get("/api/v1/bindings", headers={"Authorization": header})
        assert answer.status_code == 401 and answer.get_json()["code"] in ("token_missing", "token_invalid"), header


def test_tokens_of_others_and_old_ones_are_refused(clinic: Clinic) -> None:
    patient = clinic.log_in()
    now = clinic.runtime.clock.now()
    for_operators = clinic.runtime.tokens.issue("operator", str(patient.account_id), str(UUID(int=1)), now)
    old = clinic.runtime.tokens.issue("account", str(patient.account_id), str(UUID(int=1)), now - timedelta(hours=1))
    for token, code in ((for_operators, "token_invalid"), (old, "token_expired")):
        answer = clinic.client.get("/api/v1/bindings", headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.get_json()["code"]) == (401, code)


def test_a_session_ends_after_thirty_days(clinic: Clinic) -> None:
    patient = clinic.log_in()
    with time_machine.travel(clinic.runtime.clock.now() + timedelta(days=30, seconds=1)):
        body = {"refresh_token": patient.tokens["refresh_token"]}
        assert clinic.client.post("/api/v1/login/refresh", json=body).status_code == 401


def test_no_token_is_stored(clinic: Clinic) -> None:
    patient = clinic.log_in()
    tables = ("login_session", "refresh_token", "account")
    stored = [str(row) for table in tables for row in clinic.rows(f"SELECT * FROM {table}")]  # noqa: S608
    assert stored
    assert not any(patient.tokens[name] in row for row in stored for name in ("access_token", "refresh_token"))
