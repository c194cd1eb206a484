"""Many people at once, written down without a login each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid4

from app.identity.login.models import Account
from app.identity.person.people import PersonFacts
from tests.app.appointment.kit import Desk
from tests.app.identity.kit import identity_number, phone_number
from tests.app.patients import bind

FAMILY = 5  # how many persons an account may act for
_RELATIONS = ("self", "child", "parent", "spouse", "other")


@dataclass(frozen=True)
class One:
    account_id: UUID
    person_id: UUID


def crowd(desk: Desk, count: int) -> list[One]:
    """So many persons with live bindings, five to an account of H1."""
    app_id, hospital_id = desk.house.app_id("H1", "oa"), desk.house.hospital_id()
    people: list[One] = []
    with desk.house.runtime.work() as work:
        for size in _families(count):
            account = Account(app_id=app_id, openid=f"o{uuid4().hex}")
            work.add(account)
            work.session.flush()
            for relation in _RELATIONS[:size]:
                facts = PersonFacts(
                    "张三", "id_card", identity_number(), phone_number(), date(1990, 3, 7), "male", "C100200300"
                )
                people.append(One(account.id, bind(work, account.id, hospital_id, facts, relation)))
    return people


def _families(count: int) -> list[int]:
    return [min(FAMILY, count - start) for start in range(0, count, FAMILY)]
