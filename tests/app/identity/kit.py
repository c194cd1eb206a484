"""Patients with phones, and the agent of their hospital, for tests that begin with a login or a binding."""

from __future__ import annotations

import itertools
import re
import uuid
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from app.core.ids import is_identity_number
from app.core.work import Runtime
from app.identity import service as identity
from mock_wechat.server import WeChat
from tests.app.kit import DrainAll
from tests.app.partner import PartnerClient

_ordinals = itertools.count(1)


def identity_number(birth: str = "19900307", sex: str = "male", *, area: str = "310101") -> str:
    """A number with a right check digit that no other test of this process has; `birth` is yyyymmdd."""
    number = next(_ordinals)
    order = number % 480 * 2 + (1 if sex == "male" else 2)
    stem = f"{area[:4]}{int(area[4:]) + number // 480:02d}{birth}{order:03d}"
    return next(stem + check for check in "0123456789X" if is_identity_number(stem + check))


def patient_number() -> str:
    return f"{next(_ordinals):07d}"


def phone_number() -> str:
    return f"139{next(_ordinals):08d}"


@dataclass
class Patient:
    """A logged-in account with its phone."""

    client: FlaskClient
    tokens: dict[str, Any]
    user: str

    @property
    def account_id(self) -> UUID:
        return UUID(self.tokens["principal_id"])

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens['access_token']}"}

    def get(self, path: str) -> TestResponse:
        return self.client.get(f"/api/v1{path}", headers=self.headers)

    def post(self, path: str, body: Any = None, *, key: str = "") -> TestResponse:
        headers = self.headers | {"Idempotency-Key": key or uuid.uuid4().hex}
        return self.client.post(f"/api/v1{path}", json=body if body is not None else {}, headers=headers)


@dataclass
class Clinic:
    """H1 with its public account, and everything a patient meets on the way to a binding."""

    runtime: Runtime
    client: FlaskClient
    wechat: WeChat
    world: dict[str, Any]
    drain_all: DrainAll
    users: list[str] = field(default_factory=list)

    def app_id(self, owner: str = "H1", kind: str = "oa") -> str:
        return str(next(a["app_id"] for a in self.world["wechat"]["apps"] if (a["owner"], a["kind"]) == (owner, kind)))

    def agent(self, code: str = "H1") -> PartnerClient:
        agent = next(h["agent"] for h in self.world["hospitals"] if h["code"] == code)
        return PartnerClient(self.client, agent["partner"], agent["secret"])

    def user(self) -> str:
        return str(self.wechat.people.add({"name": "微信用户", "phone": phone_number()})["user"])

    def openid(self, user: str, owner: str = "H1") -> str:
        return self.wechat.people.openid(user, self.wechat.ground.apps[self.app_id(owner)])

    def oauth_code(self, user: str, owner: str = "H1", **how: Any) -> str:
        app = self.wechat.ground.apps[self.app_id(owner)]
        return self.wechat.codes.issue("oauth", app, user, **{"scope": "snsapi_base", "snapshot": False} | how)

    def state(self, owner: str = "H1") -> str:
        answer = self.client.get("/api/v1/login/state", query_string={"app_id": self.app_id(owner)})
        return str(answer.get_json()["state"])

    def log_in(self, owner: str = "H1", user: str = "") -> Patient:
        user = user or self.user()
        body = {"app_id": self.app_id(owner), "code": self.oauth_code(user, owner), "state": self.state(owner)}
        answer = self.client.post("/api/v1/login/oauth", json=body)
        assert answer.status_code == 200, answer.get_json()
        return Patient(self.client, answer.get_json(), user)

    def phone_code(self, patient: Patient, phone: str) -> str:
        """Ask for a code and read it as the message's writer would."""
        answer = patient.post("/phone-codes", {"phone": phone})
        assert answer.status_code == 202, answer.get_json()
        newest = text("SELECT id FROM sms_code WHERE account_id = :account ORDER BY id DESC LIMIT 1")
        with self.runtime.work() as work:
            row_id = work.session.execute(newest, {"account": patient.account_id}).scalar_one()
            issued = identity.issue_phone_code(work, row_id)
        assert issued is not None and re.fullmatch("[0-9]{6}", issued.code) and issued.phone == phone[-11:]
        return issued.code

    def claim(self, patient: Patient, **claimed: Any) -> TestResponse:
        """POST /bindings with a fresh code; without more, an adult binds himself."""
        body: dict[str, Any] = {
            "name": "张三",
            "document_type": "id_card",
            "document_no": identity_number(),
            "phone": phone_number(),
            "relation": "self",
            "consent": True,
        } | claimed
        if "phone_code" not in body:
            body["phone_code"] = self.phone_code(patient, body["phone"])
        return patient.post("/bindings", body)

    def answer_check(self, binding: Any, patient_no: str | None = None, *, at: str = "H1", **how: Any) -> Any:
        """The agent answers this binding's identity check; what it was asked. Checks that other tests left behind are
        refused."""
        agent, asked = self.agent(at), None
        for one in agent.poll(lanes=["identity"]):
            if one["body"]["check_no"] == f"bd{UUID(binding['id']).hex}":
                asked = one["body"]
                agent.answer(one["id"], {"patient_no": patient_no}, **how)
            else:
                agent.answer(one["id"], outcome="refused", code="left_behind")
        assert asked is not None, "the hospital was not asked"
        self.drain_all("identity.hospital_answered")
        return asked

    def bind(self, patient: Patient, patient_no: str | None = None, *, at: str = "H1", **claimed: Any) -> Any:
        """A binding that the hospital has confirmed, as GET shows it."""
        answer = self.claim(patient, **claimed)
        assert answer.status_code == 202, answer.get_json()
        self.answer_check(answer.get_json(), patient_no, at=at)
        found = patient.get(f"/bindings/{answer.get_json()['id']}").get_json()
        assert found["status"] == "live", found
        return found

    def rows(self, query: str, **values: Any) -> list[Any]:
        """What a statement of the test's own finds, committed."""
        with self.runtime.work() as work:
            result: Any = work.session.execute(text(query), values)
            return list(result.all()) if result.returns_rows else []
