"""Patients who are known already, for tests that begin after login and binding, and the agent of their hospital."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from werkzeug.test import TestResponse

from app.core.work import Work
from app.exchange import service as exchange
from app.identity import service as identity
from app.identity.login import service as login
from app.identity.login.service import WechatUser
from app.identity.person import people
from app.identity.person.models import Binding
from app.identity.person.people import PersonFacts
from app.identity.person.states import BindingState, bindings
from mock_partners.mail import Mail
from mock_partners.sms import Sms
from tests.app.identity.kit import Clinic, Patient, identity_number, phone_number
from tests.app.partner import PartnerClient, batch

_batch_numbers = itertools.count(1)


@dataclass
class Known(Patient):
    """A patient with a person of his own and a binding that is live."""

    person_id: UUID
    phone: str
    document_no: str


@dataclass
class House(Clinic):
    """The clinic with couriers, and short ways to what a test starts from."""

    sms: Sms = field(kw_only=True)
    mail: Mail = field(kw_only=True)

    def hospital_id(self, code: str = "H1") -> UUID:
        with self.runtime.read() as session:
            return exchange.party_by_code(session, code).id

    def known(
        self, code: str = "H1", *, kind: str = "oa", follows: bool = True, card: str | None = "C100200300"
    ) -> Known:
        """A follower of the hospital's account who has bound himself, written down without asking anybody."""
        user = self.user()
        app = self.wechat.ground.apps[self.app_id(code, kind)]
        self.wechat.people.follow(user, app, follows)
        wechat_user = WechatUser(app.app_id, self.wechat.people.openid(user, app), None)
        with self.runtime.work() as work:
            tokens = login.log_in(work, wechat_user)
            facts = PersonFacts("张三", "id_card", identity_number(), phone_number(), date(1990, 3, 7), "male", card)
            person_id = bind(work, tokens.principal_id, self.hospital_id(code), facts)
        known = {"principal_id": str(tokens.principal_id), "access_token": tokens.access_token}
        return Known(self.client, known, user, person_id, facts.phone, facts.document_no)

    def elsewhere(self, patient: Known) -> Known:
        """The same patient for another thread: a Flask test client belongs to one."""
        known = (patient.tokens, patient.user, patient.person_id, patient.phone, patient.document_no)
        return Known(self.client.application.test_client(), *known)

    def push(self, rows: Sequence[dict[str, Any]], kind: str = "record", code: str = "H1") -> int:
        """One batch of the hospital's agent; its number. The batch is not applied yet."""
        number = next(_batch_numbers)
        self.agent(code).ok("/batches", batch(number, kind, rows))
        return number

    def apply(self, rows: Sequence[dict[str, Any]], kind: str = "record", code: str = "H1") -> list[tuple[str, ...]]:
        """Push and apply a batch: (verdict, reason) of each row, in the order in which they were sent."""
        number = self.push(rows, kind, code)
        self.drain_all("record.apply", "appointment.apply_catalogue")
        return self.verdicts(number, code)

    def verdicts(self, number: int, code: str = "H1") -> list[Any]:
        found = self.agent(code).ok("/batches/verdicts", {"batch_no": number})
        return [(row["verdict"], row["reason"]) for row in found["rows"]]

    def answer(self, lane: str, decide: Callable[[dict[str, Any]], Any], code: str = "H1") -> list[dict[str, Any]]:
        """The agent takes what waits in a lane and answers each as `decide(command)` says: the keywords of an answer,
        or None for silence."""
        agent: PartnerClient = self.agent(code)
        asked = agent.poll(lanes=[lane])
        for command in asked:
            how = decide(command)
            if how is not None:
                agent.answer(command["id"], how.pop("body", None), **how)
        return asked

    def value(self, query: str, **values: Any) -> Any:
        with self.runtime.read() as session:
            return session.execute(text(query), values).scalar()

    def until(self, true: Callable[[], Any], timeout_s: float = 60.0) -> Any:
        """Wait for what another thread brings about."""
        end = time.monotonic() + timeout_s
        while not (found := true()):
            assert time.monotonic() < end, "it did not come about"
            time.sleep(0.02)
        return found


def bind(work: Work, account_id: UUID, hospital_id: UUID, facts: PersonFacts, relation: str = "self") -> UUID:
    """A live binding of the account to the person of these facts."""
    person = people.settle(work, facts, confirmed=True).person
    assert person is not None
    row = Binding(
        account_id=account_id,
        hospital_id=hospital_id,
        person_id=person.id,
        relation=relation,
        seat=len(identity.live_bindings(work.session, account_id)) + 1,
        document_index=person.document_index,
        name_mask=person.name_mask,
        child=False,
        consented_at=work.now,
        expires_at=work.now + timedelta(minutes=5),
    )
    bindings.start(work, row, BindingState.PENDING)
    work.session.flush()
    bindings.move(work, [row.id], "confirm")
    return person.id


def department(code: str = "01") -> dict[str, Any]:
    return {"type": "department", "key": f"dep-{code}", "version": 1, "data": {"code": code, "name": "内科"}}


def doctor(code: str = "D1", department_code: str = "01") -> dict[str, Any]:
    data = {"code": code, "name": "李医生", "title": "主任医师", "department_code": department_code}
    return {"type": "doctor", "key": f"doc-{code}", "version": 1, "data": data}


def slot(key: str, *, version: int = 1, in_h: float = 24, **more: Any) -> dict[str, Any]:
    """A slot that begins in so many hours and takes one."""
    starts_at = datetime.now(UTC) + timedelta(hours=in_h)
    data = {
        "doctor_code": "D1",
        "department_code": "01",
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(hours=1)).isoformat(),
        "capacity": 20,
        "fee_fen": 0,
        "status": "open",
    } | more
    return {"type": "slot", "key": key, "version": version, "data": data}


def refusal(answer: TestResponse, status: int) -> Any:
    """The code of an error that is expected."""
    assert answer.status_code == status, (answer.status_code, answer.get_json(silent=True))
    return answer.get_json()["code"]


@contextmanager
def stopped_clock(runtime: Any, at: datetime) -> Iterator[None]:
    """The product's clock stands still at a moment."""
    clock = runtime.clock

    class Stopped(type(clock)):  # type: ignore[misc]
        def now(self) -> datetime:
            return at

    runtime.clock = Stopped(clock.fixed_date)
    try:
        yield
    finally:
        runtime.clock = clock
