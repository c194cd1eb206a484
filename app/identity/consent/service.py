"""Giving and withdrawing consent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.errors import Conflict, Invalid, NotFound
from app.core.work import Work
from app.exchange import service as exchange
from app.identity.consent import rules
from app.identity.consent.models import Consent
from app.identity.consent.queries import recipient_of
from app.identity.consent.rules import CURRENT_WORDING, Recipient
from app.identity.consent.states import ConsentState, consents
from app.identity.person import queries as people


@dataclass(frozen=True)
class WantedConsent:
    """`purpose` is claim, records or medical_insurance; `scope` names the kinds of data, all of one class; `wording` is
    the version of the text that was shown."""

    person_id: UUID
    recipient_id: UUID
    purpose: str
    scope: Sequence[str]
    wording: str = CURRENT_WORDING


def recipient(session: Session, recipient_id: UUID) -> Recipient:
    """What a consent must say of who gets the data. Conflict while the recipient has not told how to reach it."""
    party = exchange.party(session, recipient_id)
    contact = str(party.config.get("contact") or "")
    if not contact:
        raise Conflict("recipient_contact_missing", "接收方尚未提供联系方式，暂时不能授权")
    return Recipient(party.name, contact)


def give_consent(work: Work, account_id: UUID, wanted: WantedConsent) -> UUID:
    """Given by an account that is bound to the person, for a child by its guardian. Giving the same again changes
    nothing; a wider scope or a newer text replaces the consent in force.

    Invalid `separate_consents`; Conflict `wording_outdated`, `recipient_contact_missing`.
    """
    person = people.require_person(work.session, account_id, wanted.person_id)
    data_class = _one_class(wanted.scope)
    if wanted.wording != CURRENT_WORDING:
        raise Conflict("wording_outdated", "授权内容已更新，请重新阅读后再同意")
    to = recipient(work.session, wanted.recipient_id)
    known = _in_force_locked(work, wanted, data_class)
    scope = set(wanted.scope)
    if known is not None:
        if scope <= set(known.scope) and (known.wording, recipient_of(known)) == (wanted.wording, to):
            return known.id
        scope |= set(known.scope)
        _end(work, known.id)
    row = Consent(
        person_id=wanted.person_id,
        account_id=account_id,
        guardian_id=person.guardian_id,
        recipient_id=wanted.recipient_id,
        recipient_name=to.name,
        recipient_contact=to.contact,
        purpose=wanted.purpose,
        data_class=data_class,
        scope=sorted(scope),
        wording=wanted.wording,
        given_at=work.now,
    )
    consents.start(work, row, ConsentState.IN_FORCE)
    work.session.flush()
    return row.id


def _one_class(scope: Sequence[str]) -> str:
    found = rules.classes_of(scope)
    if len(found) != 1:
        raise Invalid("separate_consents", "健康信息需要单独同意，请与其他信息分开授权")
    return found.pop()


def _in_force_locked(work: Work, wanted: WantedConsent, data_class: str) -> Consent | None:
    """The consent that a new one may replace; two at once come one after the other."""
    lock = f"{wanted.person_id}:{wanted.recipient_id}:{wanted.purpose}:{data_class}"
    work.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(lock, 2))))
    mine = (Consent.person_id == wanted.person_id, Consent.recipient_id == wanted.recipient_id)
    kind = (Consent.purpose == wanted.purpose, Consent.data_class == data_class)
    return work.session.scalar(select(Consent).where(*mine, *kind, Consent.status == ConsentState.IN_FORCE))


def withdraw_consent(work: Work, account_id: UUID, consent_id: UUID) -> None:
    """By any account bound to the person. What was shared before stays shared; later sharing is refused."""
    row = work.session.get(Consent, consent_id)
    if row is None:
        raise NotFound
    people.require_bound(work.session, account_id, row.person_id)
    _end(work, consent_id)
    work.emit("identity.consent_withdrawn", consent_id)


def _end(work: Work, consent_id: UUID) -> None:
    consents.move(work, [consent_id], "withdraw", values={"withdrawn_at": work.now})
