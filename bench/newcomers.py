"""A hospital whose line is empty, and people whom it does not know yet."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from sqlalchemy import Table

from app.core.columns import add_rows
from app.core.ids import new_id
from app.core.work import Runtime
from app.exchange.service import NewParty, put_partner, put_party
from app.identity.credential import registry
from app.identity.login.models import Account
from app.identity.person.models import Binding, Person
from bench.patients import APP, binding_row, person_row

HOSPITAL, AGENT = "H1", "H1-agent"
AGENT_SECRET = "whsec_" + b64encode(b"bench".ljust(32, b".")).decode()
_AT_ONCE = 1000


@dataclass(frozen=True)
class Newcomer:
    account_id: UUID
    person_id: UUID


def found(runtime: Runtime) -> UUID:
    """The hospital with its agent and its public account; its id."""
    with runtime.work() as work:
        hospital_id = put_party(work, NewParty("hospital", HOSPITAL, "市第一人民医院"))
        put_partner(work, hospital_id, AGENT, AGENT_SECRET)
        registry.put_app(work, hospital_id, APP)
    return hospital_id


def found_another(runtime: Runtime, code: str) -> str:
    """One more hospital, of the same secret, for what is pushed and not looked at; its agent."""
    agent = f"{code}-agent"
    with runtime.work() as work:
        put_partner(work, put_party(work, NewParty("hospital", code, code)), agent, AGENT_SECRET)
    return agent


def people(runtime: Runtime, hospital_id: UUID, count: int, *, first: int = 0) -> list[Newcomer]:
    """So many persons with all of their data, sealed, each bound to a WeChat account; the first is the `first`-th."""
    found = [Newcomer(new_id(), new_id()) for _ in range(count)]
    with runtime.work() as work:
        for start in range(0, count, _AT_ONCE):
            some = list(enumerate(found[start : start + _AT_ONCE], first + start))
            accounts = [{"id": one.account_id, "app_id": APP.app_id, "openid": f"bench-{no}"} for no, one in some]
            add_rows(work.session, cast(Table, Account.__table__), accounts)
            persons = [person_row(work, one.person_id, no) for no, one in some]
            add_rows(work.session, cast(Table, Person.__table__), persons)
            bound = [
                binding_row(work, hospital_id, one.account_id, row) for (_, one), row in zip(some, persons, strict=True)
            ]
            add_rows(work.session, cast(Table, Binding.__table__), bound)
    return found
