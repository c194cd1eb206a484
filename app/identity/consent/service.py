"""Giving and withdrawing consent, and the receipt of each sharing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.errors import Forbidden, NotFound
from app.core.work import Work
from app.identity.consent.models import Consent, ConsentReceipt
from app.identity.consent.states import ConsentState, consents
from app.identity.person import queries

WORDING = "2026-11"


@dataclass(frozen=True)
class WantedConsent:
    """`purpose` is claim, records or medical_insurance; `scope` names the kinds of data, `wording` the version of the
    text that was shown."""

    person_id: UUID
    recipient_id: UUID
    purpose: str
    scope: Sequence[str]
    wording: str = WORDING


@dataclass(frozen=True)
class ReceiptView:
    what: list[str]
    subject_id: UUID
    shared_at: datetime


@dataclass(frozen=True)
class ConsentView:
    id: UUID
    person_id: UUID
    recipient_id: UUID
    purpose: str
    scope: list[str]
    wording: str
    status: str
    given_at: datetime
    withdrawn_at: datetime | None
    guardian_id: UUID | None
    receipts: tuple[ReceiptView, ...] = ()


def give_consent(work: Work, account_id: UUID, wanted: WantedConsent) -> UUID:
    """Given by an account that is bound to the person, for a child by its guardian. Giving the same again changes
    nothing; a wider scope replaces the consent in force."""
    person = queries.require_person(work.session, account_id, wanted.person_id)
    lock = f"{wanted.person_id}:{wanted.recipient_id}:{wanted.purpose}"
    work.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(lock, 2))))
    known = consent_in_force(work.session, wanted.person_id, wanted.recipient_id, wanted.purpose)
    scope = set(wanted.scope)
    if known is not None:
        if scope <= set(known.scope):
            return known.id
        scope |= set(known.scope)
        _end(work, known.id)
    row = Consent(
        person_id=wanted.person_id,
        account_id=account_id,
        guardian_id=person.guardian_id,
        recipient_id=wanted.recipient_id,
        purpose=wanted.purpose,
        scope=sorted(scope),
        wording=wanted.wording,
        given_at=work.now,
    )
    consents.start(work, row, ConsentState.IN_FORCE)
    work.session.flush()
    return row.id


def consent_in_force(session: Session, person_id: UUID, recipient_id: UUID, purpose: str) -> ConsentView | None:
    """The consent of a person towards a recipient for a purpose, unless it was withdrawn."""
    wanted = select(Consent).where(Consent.person_id == person_id, Consent.recipient_id == recipient_id)
    wanted = wanted.where(Consent.purpose == purpose, Consent.status == ConsentState.IN_FORCE)
    row = session.scalars(wanted).one_or_none()
    return _view(row) if row is not None else None


def note_shared(work: Work, consent_id: UUID, what: Sequence[str], subject_id: UUID) -> None:
    """Write the receipt of one sharing. Forbidden if the consent is no longer in force or does not cover it; a
    withdrawal that comes at the same moment waits until this sharing is committed."""
    held = select(Consent.status, Consent.scope).where(Consent.id == consent_id).with_for_update(read=True)
    row = work.session.execute(held).one_or_none()
    if row is None or row.status != ConsentState.IN_FORCE or not set(what) <= set(row.scope):
        raise Forbidden("no_consent", "就诊人没有同意，或已撤回同意")
    work.add(ConsentReceipt(consent_id=consent_id, what=sorted(what), subject_id=subject_id, shared_at=work.now))
    work.audit("consent.share", "consent", consent_id, subject=str(subject_id))


def withdraw_consent(work: Work, account_id: UUID, consent_id: UUID) -> None:
    """By any account bound to the person. What was shared before stays shared; later sharing is refused."""
    row = work.session.get(Consent, consent_id)
    if row is None:
        raise NotFound
    queries.require_bound(work.session, account_id, row.person_id)
    _end(work, consent_id)
    work.emit("identity.consent_withdrawn", consent_id)


def consents_of(session: Session, account_id: UUID) -> list[ConsentView]:
    """Consents of every person the account is bound to, newest first, each with its receipts."""
    people = [bound.person.id for bound in queries.live_bindings(session, account_id) if bound.person]
    rows = session.scalars(select(Consent).where(Consent.person_id.in_(people)).order_by(Consent.id.desc())).all()
    receipts: dict[UUID, list[ReceiptView]] = {row.id: [] for row in rows}
    wanted = select(ConsentReceipt).where(ConsentReceipt.consent_id.in_(receipts)).order_by(ConsentReceipt.id)
    for one in session.scalars(wanted):
        receipts[one.consent_id].append(ReceiptView(one.what, one.subject_id, one.shared_at))
    return [_view(row, receipts[row.id]) for row in rows]


def consent(session: Session, consent_id: UUID) -> ConsentView:
    row = session.get(Consent, consent_id)
    if row is None:
        raise NotFound
    return _view(row)


def _end(work: Work, consent_id: UUID) -> None:
    consents.move(work, [consent_id], "withdraw", values={"withdrawn_at": work.now})


def _view(row: Consent, receipts: Sequence[ReceiptView] = ()) -> ConsentView:
    return ConsentView(
        id=row.id,
        person_id=row.person_id,
        recipient_id=row.recipient_id,
        purpose=row.purpose,
        scope=row.scope,
        wording=row.wording,
        status=row.status,
        given_at=row.given_at,
        withdrawn_at=row.withdrawn_at,
        guardian_id=row.guardian_id,
        receipts=tuple(receipts),
    )
