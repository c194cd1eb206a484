"""Whether data may be shared now, and the receipt of each sharing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from sqlalchemy import ColumnElement, Table, bindparam, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core.errors import Forbidden
from app.core.ids import new_id
from app.core.work import Work
from app.identity.consent.models import Consent, ConsentReceipt
from app.identity.consent.queries import ConsentView, view
from app.identity.consent.states import ConsentState

# Without the unit of work, and made once: every claim leaves several receipts.
_RECEIPTS = cast(Table, ConsentReceipt.__table__)
_WRITTEN = ("id", "consent_id", "occasion", "what", "subject_id", "about_no", "reference", "shared_at")
_RECEIPT = insert(_RECEIPTS).values({name: bindparam(name) for name in _WRITTEN}).on_conflict_do_nothing()


@dataclass(frozen=True)
class Sharing:
    """One handing over to a recipient. `what` names the kinds of data, `occasion` what it is for (rules.OCCASIONS),
    `subject_id` our row that causes it, `about_no` its number for people, `reference` tells several of one row apart.
    """

    person_id: UUID
    recipient_id: UUID
    purpose: str
    what: Collection[str]
    occasion: str
    subject_id: UUID
    about_no: str = ""
    reference: str = ""


def consents_in_force(session: Session, person_id: UUID, recipient_id: UUID, purpose: str) -> dict[str, ConsentView]:
    """The consents of a person towards a recipient that are not withdrawn, by the class of data they cover."""
    wanted = select(Consent).where(*_in_force(person_id, recipient_id, purpose)).order_by(Consent.data_class)
    return {row.data_class: view(row) for row in session.scalars(wanted)}


def may_be_shared(session: Session, person_id: UUID, recipient_id: UUID, purpose: str) -> set[str]:
    """The kinds of data that a recipient may get of a person now."""
    consents = consents_in_force(session, person_id, recipient_id, purpose)
    return {kind for one in consents.values() for kind in one.scope}


def note_shared(work: Work, sharing: Sharing) -> None:
    """Write the receipt of one sharing under each consent that it falls under.

    Forbidden if any of the data is not covered by a consent that is in force; a withdrawal that comes at the same
    moment waits until this sharing is committed. The same sharing again has its receipt already.
    """
    mine = _in_force(sharing.person_id, sharing.recipient_id, sharing.purpose)
    held = select(Consent.id, Consent.scope).where(*mine).order_by(Consent.data_class).with_for_update(read=True)
    falling = {row.id: sorted(set(row.scope) & set(sharing.what)) for row in work.session.execute(held)}
    if set(sharing.what) - {kind for kinds in falling.values() for kind in kinds}:
        raise Forbidden("no_consent", "就诊人没有同意，或已撤回同意")
    for consent_id, kinds in falling.items():
        if kinds:
            _write(work, sharing, consent_id, kinds)


def was_shared(session: Session, sharing: Sharing) -> bool:
    """Whether this very sharing has a receipt, whatever became of the consent since."""
    mine = {"occasion": sharing.occasion, "subject_id": sharing.subject_id, "reference": sharing.reference}
    return session.scalar(select(ConsentReceipt.id).filter_by(**mine).limit(1)) is not None


def _write(work: Work, sharing: Sharing, consent_id: UUID, kinds: list[str]) -> None:
    row = {
        "id": new_id(),
        "consent_id": consent_id,
        "occasion": sharing.occasion,
        "what": kinds,
        "subject_id": sharing.subject_id,
        "about_no": sharing.about_no,
        "reference": sharing.reference,
        "shared_at": work.now,
    }
    work.session.execute(_RECEIPT, row)
    work.audit("consent.share", "consent", consent_id, subject=str(sharing.subject_id), occasion=sharing.occasion)


def _in_force(person_id: UUID, recipient_id: UUID, purpose: str) -> list[ColumnElement[bool]]:
    return [
        Consent.person_id == person_id,
        Consent.recipient_id == recipient_id,
        Consent.purpose == purpose,
        Consent.status == ConsentState.IN_FORCE,
    ]
