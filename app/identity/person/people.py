"""Persons: made from a claim, corrected by what a hospital has confirmed, opened for those who need the facts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import any_, bindparam, func, select

from app.core.bare import Bare
from app.core.db import Ids, as_array
from app.core.errors import NotFound, Tampered
from app.core.privacy import Privacy, mask_name, mask_number
from app.core.work import AuditFact, Work
from app.identity.person.models import Person


@dataclass(frozen=True)
class PersonFacts:
    """What is known of a person, in plain text: never in a log, an error or a queue argument."""

    name: str = field(repr=False)
    document_type: str
    document_no: str = field(repr=False)
    phone: str = field(repr=False)
    birth_date: date
    sex: str
    medical_card_no: str | None = field(default=None, repr=False)

    def to_text(self) -> str:
        return json.dumps(asdict(self) | {"birth_date": self.birth_date.isoformat()}, ensure_ascii=False)

    @classmethod
    def from_text(cls, text: str) -> PersonFacts:
        body = json.loads(text)
        return cls(**body | {"birth_date": date.fromisoformat(body["birth_date"])})


_SEALED = ("name_sealed", "document_no_sealed", "phone_sealed", "medical_card_no_sealed")
_OPENED = [getattr(Person, name) for name in ("id", "document_type", "birth_date", "sex", *_SEALED)]
# Columns and not rows of the ORM: whole polls of a registration line are read by it.
_FACTS = Bare(select(*_OPENED).where(Person.id == any_(bindparam("ids", type_=Ids()))))


def document_index(privacy: Privacy, document_type: str, document_no: str) -> str:
    return privacy.index(f"{document_type}:{document_no}", "document")


def phone_index(privacy: Privacy, phone: str) -> str:
    return privacy.index(phone, "phone")


def card_index(privacy: Privacy, card_no: str) -> str:
    return privacy.index(card_no, "medical_card")


def write_card(work: Work, row: Person, card_no: str) -> None:
    work.seal(row, "medical_card_no_sealed", card_no)
    row.medical_card_index = card_index(work.privacy, card_no)


def find(work: Work, claim: PersonFacts) -> UUID | None:
    """The person with the claim's document."""
    index = document_index(work.privacy, claim.document_type, claim.document_no)
    known = (Person.document_type == claim.document_type, Person.document_index == index)
    return work.session.scalar(select(Person.id).where(*known))


@dataclass(frozen=True)
class Settled:
    """`person` None: the claim contradicts what is known. `corrected`: an earlier, unconfirmed claim was wrong."""

    person: Person | None
    corrected: bool = False


def settle(work: Work, claim: PersonFacts, *, confirmed: bool) -> Settled:
    """The person of this claim, made if need be. `confirmed` says that a hospital knows this very person: then its word
    replaces ours. A claim that nobody confirms may join a known person only if name and phone are the same."""
    index = document_index(work.privacy, claim.document_type, claim.document_no)
    work.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(index, 0))))
    known = select(Person).where(Person.document_type == claim.document_type, Person.document_index == index)
    row = work.session.scalars(known).one_or_none()
    if row is None:
        return Settled(_create(work, claim, index, confirmed))
    same = _is_same(work.privacy, row, claim)
    if not confirmed and not same:
        return Settled(None)
    if confirmed:
        corrected = not same and not row.confirmed
        _write(work, row, claim)
        row.confirmed = True
        work.audit("person.confirm", "person", row.id, corrected=corrected)
        return Settled(row, corrected)
    if claim.medical_card_no and row.medical_card_no_sealed is None:
        write_card(work, row, claim.medical_card_no)
    return Settled(row)


def facts(work: Work, person_id: UUID, why: str) -> PersonFacts:
    return facts_of(work, [person_id], why)[person_id]


def facts_of(work: Work, person_ids: Sequence[UUID], why: str) -> dict[UUID, PersonFacts]:
    """Everything about these persons in plain text; one audit entry for each says who read it and `why`. NotFound or
    Tampered if one of them cannot be read."""
    rows = _read(work, person_ids)
    if len(rows) != len(set(person_ids)):
        raise NotFound
    work.audit_fact(AuditFact("read.person", "person", [row.id for row in rows], detail={"why": why}))
    return {row.id: _open(work.privacy, row) for row in rows}


def readable_facts_of(work: Work, person_ids: Sequence[UUID], why: str) -> dict[UUID, PersonFacts]:
    """As `facts_of`, without the persons who cannot be read."""
    found: dict[UUID, PersonFacts] = {}
    for row in _read(work, person_ids):
        try:
            found[row.id] = _open(work.privacy, row)
        except Tampered:
            continue
        work.audit("read.person", "person", row.id, why=why)
    return found


def _read(work: Work, person_ids: Sequence[UUID]) -> list[Any]:
    work.session.flush()  # a card may have been shown a moment ago
    return _FACTS.all(work.session, {"ids": as_array(person_ids)})


def note_identity_image(work: Work, person_id: UUID) -> None:
    """A picture of the identity document has been checked: large payouts ask for it."""
    row = work.session.get(Person, person_id)
    if row is None:
        raise NotFound
    row.identity_image = True
    work.audit("person.identity_image", "person", person_id)


def _create(work: Work, claim: PersonFacts, index: str, confirmed: bool) -> Person:
    row = Person(document_type=claim.document_type, document_index=index, confirmed=confirmed)
    work.seal(row, "document_no_sealed", claim.document_no)
    row.document_mask = mask_number(claim.document_no)
    _write(work, row, claim)
    work.add(row)
    work.session.flush()
    work.audit("person.create", "person", row.id, confirmed=confirmed)
    return row


def _write(work: Work, row: Person, claim: PersonFacts) -> None:
    work.seal(row, "name_sealed", claim.name)
    row.name_index, row.name_mask = work.privacy.index(claim.name, "name"), mask_name(claim.name)
    work.seal(row, "phone_sealed", claim.phone)
    row.phone_index, row.phone_mask = phone_index(work.privacy, claim.phone), mask_number(claim.phone)
    row.birth_date, row.sex = claim.birth_date, claim.sex
    if claim.medical_card_no:
        write_card(work, row, claim.medical_card_no)


def _is_same(privacy: Privacy, row: Person, claim: PersonFacts) -> bool:
    said = (privacy.index(claim.name, "name"), phone_index(privacy, claim.phone), claim.birth_date, claim.sex)
    return said == (row.name_index, row.phone_index, row.birth_date, row.sex)


def _open(privacy: Privacy, row: Any) -> PersonFacts:
    person_id = str(row.id)

    def plain(column: str) -> str:
        return privacy.open(getattr(row, column), f"person:{column}:{person_id}")

    return PersonFacts(
        name=plain("name_sealed"),
        document_type=row.document_type,
        document_no=plain("document_no_sealed"),
        phone=plain("phone_sealed"),
        birth_date=row.birth_date,
        sex=row.sex,
        medical_card_no=plain("medical_card_no_sealed") if row.medical_card_no_sealed else None,
    )
