"""Who an account may act for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    SQLColumnExpression,
    Table,
    any_,
    bindparam,
    exists,
    select,
)
from sqlalchemy.orm import Session

from app.core.bare import Bare, word
from app.core.db import Ids
from app.core.errors import NotFound
from app.identity.person import rules
from app.identity.person.models import Binding, Person
from app.identity.person.states import BindingState

_SHOWN = 50


@dataclass(frozen=True)
class PersonView:
    """A person as others may see it: masks only. `relation` is how the asking account is bound to it."""

    id: UUID
    name_mask: str
    document_type: str
    document_mask: str
    phone_mask: str
    birth_date: date
    sex: str
    has_medical_card: bool
    identity_image: bool
    relation: str
    guardian_id: UUID | None


@dataclass(frozen=True)
class BindingView:
    """`person` is None until the binding is live."""

    id: UUID
    status: str
    relation: str
    name_mask: str
    hospital_id: UUID
    status_since: datetime
    refused_code: str | None
    person: PersonView | None


def require_person(session: Session, account_id: UUID, person_id: UUID) -> PersonView:
    """The person, if a live binding of the account leads to it; NotFound for everybody else's."""
    row = _bound(session, account_id, person_id)
    if row is None:
        raise NotFound("person_unknown", "没有找到这位就诊人")
    return _person(row, row)


def require_bound(session: Session, account_id: UUID, person_id: UUID) -> None:
    """For what belongs to a person and was asked for by its own id: NotFound as if it were not there, which is all that
    a stranger may learn."""
    if _bound(session, account_id, person_id) is None:
        raise NotFound


def acts_for(account_id: SQLColumnExpression[UUID], person_id: SQLColumnExpression[UUID]) -> ColumnElement[bool]:
    """For another feature's query: whether the account is bound live to the person."""
    return is_acted_for(person_id, Binding.__table__.c.account_id == account_id)


def is_acted_for(person_id: SQLColumnExpression[UUID], *also: ColumnElement[bool]) -> ColumnElement[bool]:
    """For another feature's query: whether any account is bound live to the person."""
    table = Binding.__table__.c
    live = table.status == word(BindingState.LIVE)  # the partial indexes ask for it
    return exists().where(table.person_id == person_id, live, *also)


def live_bindings(session: Session, account_id: UUID) -> list[BindingView]:
    return [_binding(row) for row in session.execute(_live(account_id).order_by(Binding.seat))]


def bindings_of(session: Session, account_id: UUID) -> list[BindingView]:
    """All of an account's bindings, newest first."""
    mine = select(Binding, Person).outerjoin(Person, Person.id == Binding.person_id)
    mine = mine.where(Binding.account_id == account_id).order_by(Binding.id.desc()).limit(_SHOWN)
    return [_binding(row) for row in session.execute(mine)]


def binding(session: Session, account_id: UUID, binding_id: UUID) -> BindingView:
    mine = select(Binding, Person).outerjoin(Person, Person.id == Binding.person_id)
    row = session.execute(mine.where(Binding.account_id == account_id, Binding.id == binding_id)).one_or_none()
    if row is None:
        raise NotFound
    return _binding(row)


@dataclass(frozen=True)
class BoundPair:
    """Who was bound to whom; `person_id` is None for a claim that led to nothing."""

    account_id: UUID
    person_id: UUID | None
    hospital_id: UUID
    relation: str
    refused_code: str | None


def bound_pair(session: Session, binding_id: UUID) -> BoundPair:
    """For whoever follows the events `identity.bound`, `identity.binding_refused` and `identity.unbound`."""
    row = session.get(Binding, binding_id)
    if row is None:
        raise NotFound
    return BoundPair(row.account_id, row.person_id, row.hospital_id, row.relation, row.refused_code)


def bound_pairs(session: Session, pairs: Collection[tuple[UUID, UUID]]) -> set[tuple[UUID, UUID]]:
    """Which of these accounts are bound live to which of these persons, in one statement whatever their number."""
    accounts, persons = (bindparam(name, type_=Ids()) for name in ("accounts", "persons"))
    live = select(Binding.account_id, Binding.person_id).where(
        Binding.account_id == any_(accounts), Binding.person_id == any_(persons), Binding.status == BindingState.LIVE
    )
    given = {"accounts": [one for one, _ in pairs], "persons": [one for _, one in pairs]}
    return {(row.account_id, row.person_id) for row in session.execute(live, given) if row.person_id is not None}


def is_child(session: Session, person_id: UUID, day: date) -> bool:
    """Under 14 on that day."""
    birth_date = session.scalar(select(Person.birth_date).where(Person.id == person_id))
    if birth_date is None:
        raise NotFound
    return rules.is_child(birth_date, day)


def guardian_of(session: Session, account_id: UUID, person_id: UUID) -> UUID | None:
    """The adult person who acts as guardian of a child through this account; None if it was bound as no child."""
    live = (Binding.account_id == account_id, Binding.person_id == person_id, Binding.status == BindingState.LIVE)
    return session.scalar(select(Binding.guardian_id).where(*live))


def names(session: Session, person_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Masked names, for lists."""
    wanted = select(Person.id, Person.name_mask).where(Person.id.in_(person_ids))
    return {row.id: row.name_mask for row in session.execute(wanted)}


def _live(account_id: UUID) -> Select[Binding, Person]:
    both = select(Binding, Person).join(Person, Person.id == Binding.person_id)
    return both.where(Binding.account_id == account_id, Binding.status == BindingState.LIVE)


_P, _B = cast(Table, Person.__table__).c, cast(Table, Binding.__table__).c
_SEEN = ("id", "name_mask", "document_type", "document_mask", "phone_mask", "birth_date", "sex", "identity_image")
# Columns and not rows of the ORM: whatever concerns a person asks it first.
_BOUND = Bare(
    select(*(_P[name] for name in _SEEN), _P.medical_card_no_sealed, _B.relation, _B.guardian_id)
    .join_from(Binding.__table__, Person.__table__, _P.id == _B.person_id)
    .where(_B.account_id == bindparam("account_id"), _P.id == bindparam("of_person_id"))
    .where(_B.status == word(BindingState.LIVE))
)


def _bound(session: Session, account_id: UUID, person_id: UUID) -> Any:
    known = {"account_id": account_id, "of_person_id": person_id}
    return _BOUND.first(session, known)


def _binding(row: Row[Binding, Person]) -> BindingView:
    found = row.Binding
    return BindingView(
        id=found.id,
        status=found.status,
        relation=found.relation,
        name_mask=found.name_mask,
        hospital_id=found.hospital_id,
        status_since=found.status_since,
        refused_code=found.refused_code,
        person=_person(row.Person, found) if found.status == BindingState.LIVE else None,
    )


def _person(row: Person | Row[Any], bound: Binding | Row[Any]) -> PersonView:
    return PersonView(
        id=row.id,
        name_mask=row.name_mask,
        document_type=row.document_type,
        document_mask=row.document_mask,
        phone_mask=row.phone_mask,
        birth_date=row.birth_date,
        sex=row.sex,
        has_medical_card=row.medical_card_no_sealed is not None,
        identity_image=row.identity_image,
        relation=bound.relation,
        guardian_id=bound.guardian_id,
    )
