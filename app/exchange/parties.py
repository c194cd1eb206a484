"""Parties, their programs, and the keys that both sides sign with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core.errors import Conflict, NotFound, Unauthorised
from app.core.ids import new_id
from app.core.privacy import Privacy
from app.core.work import Work
from app.exchange import rules
from app.exchange.models import Partner, PartnerKey, Party


@dataclass(frozen=True)
class NewParty:
    """Who shall be known. `outbound_secret` (`whsec_…`) signs what we send to it."""

    kind: str
    code: str
    name: str
    config: Mapping[str, Any] = field(default_factory=dict)
    outbound_secret: str | None = None


@dataclass(frozen=True)
class Endpoint:
    """Where a party that we call is, and how we sign there."""

    url: str
    secret: str


@dataclass(frozen=True)
class Signer:
    """The program behind a signed call."""

    partner_id: UUID
    party_id: UUID


def party_by_code(session: Session, code: str) -> Party:
    found = session.scalar(select(Party).where(Party.code == code))
    if found is None:
        raise NotFound
    return found


def party(session: Session, party_id: UUID) -> Party:
    found = session.get(Party, party_id)
    if found is None:
        raise NotFound
    return found


def parties(session: Session, kind: str) -> Sequence[Party]:
    """All parties of a kind, by code."""
    return session.scalars(select(Party).where(Party.kind == kind).order_by(Party.code)).all()


def interfaces(session: Session) -> dict[UUID, Party]:
    """The medical-insurance interface at which each hospital settles: the one that its configuration names by code, or
    the first where it names none. A hospital that names one that nobody knows settles at none."""
    every = parties(session, "medical_insurance")
    by_code = {one.code: one for one in every}
    hospitals = parties(session, "hospital") if every else ()
    named = {one.id: one.config.get("interface", every[0].code) for one in hospitals}
    return {hospital_id: by_code[code] for hospital_id, code in named.items() if code in by_code}


def endpoint(session: Session, privacy: Privacy, party_id: UUID) -> Endpoint:
    """For calls to an insurer or a bank. NotFound if it has no address."""
    found = party(session, party_id)
    if not found.outbound_secret_sealed or "url" not in found.config:
        raise NotFound
    secret = privacy.open(found.outbound_secret_sealed, f"party:outbound_secret_sealed:{party_id}")
    return Endpoint(str(found.config["url"]), secret)


def put_party(work: Work, new: NewParty) -> UUID:
    """Make the party, or bring the one with this code up to date."""
    row = {"id": new_id(), "kind": new.kind, "code": new.code, "name": new.name, "config": dict(new.config)}
    wanted = insert(Party).values(row)
    kept = {name: wanted.excluded[name] for name in ("name", "config")}
    upsert = wanted.on_conflict_do_update(index_elements=[Party.code], set_=kept).returning(Party.id)
    party_id = work.session.execute(upsert).scalar_one()
    if new.outbound_secret is not None:
        sealed = work.privacy.seal(new.outbound_secret, f"party:outbound_secret_sealed:{party_id}")
        work.session.execute(update(Party).where(Party.id == party_id).values(outbound_secret_sealed=sealed))
    work.audit("party.put", "party", party_id)
    return party_id


def put_partner(work: Work, party_id: UUID, code: str, secret: str | None = None, *, program: str = "") -> UUID:
    """Make the program known; `secret` becomes its key unless it has that one already."""
    row = {"id": new_id(), "party_id": party_id, "code": code, "program": program or code.rpartition("-")[2]}
    wanted = insert(Partner).values(row)
    same = wanted.on_conflict_do_update(index_elements=[Partner.code], set_={"program": wanted.excluded.program})
    partner_id = work.session.execute(same.returning(Partner.id)).scalar_one()
    if secret is not None and secret not in _secrets(work.session, work.privacy, partner_id):
        add_key(work, partner_id, secret)
    return partner_id


def partner_by_code(session: Session, code: str) -> Partner:
    found = session.scalar(select(Partner).where(Partner.code == code))
    if found is None:
        raise NotFound
    return found


def add_key(work: Work, partner_id: UUID, secret: str) -> UUID:
    """A further live key. Conflict if there are two already: one has to be retired first."""
    taken = set(work.session.scalars(_live_keys(partner_id).with_only_columns(PartnerKey.place)))
    free = sorted({1, 2} - taken)
    if not free:
        raise Conflict("two_keys_live", "已有两把有效密钥，请先停用一把")
    key = PartnerKey(partner_id=partner_id, place=free[0])
    work.seal(key, "secret_sealed", secret)
    work.add(key)
    work.audit("partner_key.add", "partner", partner_id)
    return key.id


def retire_oldest_key(work: Work, partner_id: UUID) -> None:
    """End the older of two live keys. Conflict if it is the only one: the partner would be locked out."""
    keys = work.session.scalars(_live_keys(partner_id).order_by(PartnerKey.id).with_for_update()).all()
    if len(keys) < 2:
        raise Conflict("last_key", "这是最后一把有效密钥，不能停用")
    keys[0].retired_at = work.now
    work.audit("partner_key.retire", "partner", partner_id)


def identify(session: Session, privacy: Privacy, headers: Mapping[str, str], body: str) -> Signer:
    """Who signed `body`. `headers` has lower-case names. Unauthorised whatever is missing, malformed or wrong."""
    code, message_id = headers.get("zhipei-partner", ""), headers.get("webhook-id", "")
    keys: Sequence[Any] = []
    if rules.may_ask(code, message_id):
        live = (PartnerKey.partner_id == Partner.id) & PartnerKey.retired_at.is_(None)
        wanted = select(Partner.id, Partner.party_id, PartnerKey.id.label("key_id"), PartnerKey.secret_sealed)
        keys = session.execute(wanted.join(PartnerKey, live).where(Partner.code == code)).all()
    if not rules.is_signed((_open(privacy, key.key_id, key.secret_sealed) for key in keys), headers, body):
        raise Unauthorised("signature_invalid", "签名无效：请检查 Zhipei-Partner、时间与签名")
    return Signer(keys[0].id, keys[0].party_id)


def _secrets(session: Session, privacy: Privacy, partner_id: UUID) -> list[str]:
    keys = session.execute(_live_keys(partner_id).with_only_columns(PartnerKey.id, PartnerKey.secret_sealed))
    return [_open(privacy, key.id, key.secret_sealed) for key in keys]


def _open(privacy: Privacy, key_id: UUID, sealed: str) -> str:
    return privacy.open(sealed, f"partner_key:secret_sealed:{key_id}")


def _live_keys(partner_id: UUID) -> Any:
    return select(PartnerKey).where(PartnerKey.partner_id == partner_id, PartnerKey.retired_at.is_(None))
