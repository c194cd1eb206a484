"""Parties, and the secrets that sign what we send to them. Two may live at once, so that one is changed without a
pause: then every message carries both signatures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core.bare import Bare
from app.core.errors import Conflict, Invalid, NotFound
from app.core.ids import new_id
from app.core.jwe import read_public_key
from app.core.privacy import Privacy
from app.core.work import Work
from app.exchange import signatures
from app.exchange.models import Party

# What an insurer may speak; app.gateways.insurer has one client for each.
NATIVE = "native"
DIALECTS = (NATIVE, "s200")
_PARTY = cast(Table, Party.__table__)
# What a hospital has set is asked for each booking, and what a party is for each of its messages.
_CONFIG, _KIND = (
    Bare(select(asked).where(_PARTY.c.id == bindparam("party_id"))) for asked in (_PARTY.c.config, _PARTY.c.kind)
)


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
    """Where a party that we call is, the dialect that is spoken there, and the secrets with which we sign there,
    separated by a blank: one, or two while it is being changed."""

    url: str
    secret: str = field(repr=False)
    code: str
    dialect: str


def party_by_code(session: Session, code: str) -> Party:
    found = session.scalar(select(Party).where(Party.code == code))
    if found is None:
        raise NotFound
    return found


def party(session: Session, party_id: UUID) -> Party:
    """Read once by a session, which by itself would forget the row between two calls."""
    found = session.get(Party, party_id)
    if found is None:
        raise NotFound
    session.info.setdefault("exchange.parties", set()).add(found)
    return found


def party_config(session: Session, party_id: UUID) -> Mapping[str, Any]:
    """What a party's configuration says, without the party."""
    config: Mapping[str, Any] = _known(session, _CONFIG, party_id)
    return config


def party_kind(session: Session, party_id: UUID) -> str:
    """hospital, insurer, medical_insurance or bank; without the party."""
    return str(_known(session, _KIND, party_id))


def _known(session: Session, asked: Bare, party_id: UUID) -> Any:
    found = asked.first(session, {"party_id": party_id})
    if found is None:
        raise NotFound
    return found[0]


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


def endpoint(session: Session, privacy: Privacy, party_id: UUID, address: str = "url") -> Endpoint:
    """For calls to an insurer or a bank; `address` names the entry of its configuration. NotFound without one."""
    found = party(session, party_id)
    if not can_be_called(found, address):
        raise NotFound
    secrets = " ".join(_outbound_secrets(privacy, found))
    return Endpoint(str(found.config[address]), secrets, found.code, str(found.config.get("dialect", NATIVE)))


def can_be_called(found: Party, address: str = "url") -> bool:
    """Whether it has an address, and a secret with which we sign there."""
    return bool(found.outbound_secret_sealed and found.config.get(address))


def require_called(session: Session, party_id: UUID) -> None:
    """Conflict `insurer_not_connected` for who can be told by its feed alone: that cannot answer a patient's
    question."""
    if not can_be_called(party(session, party_id)):
        raise Conflict("insurer_not_connected", "该保险公司尚未开通线上理赔，请直接联系保险公司客服")


def put_party(work: Work, new: NewParty) -> UUID:
    """Make the party, or bring the one with this code up to date. A secret that it has is left alone: it may have been
    changed since. Invalid for a dialect that we do not speak."""
    if new.config.get("dialect", NATIVE) not in DIALECTS:
        raise Invalid("dialect_unknown", "没有这种保险公司接口方言")
    row = {"id": new_id(), "kind": new.kind, "code": new.code, "name": new.name, "config": dict(new.config)}
    wanted = insert(Party).values(row)
    kept = {name: wanted.excluded[name] for name in ("name", "config")}
    upsert = wanted.on_conflict_do_update(index_elements=[Party.code], set_=kept).returning(Party.id)
    party_id = work.session.execute(upsert).scalar_one()
    if new.outbound_secret is not None:
        sealed = work.privacy.seal(new.outbound_secret, _place("outbound_secret_sealed", party_id))
        first = update(Party).where(Party.id == party_id, Party.outbound_secret_sealed.is_(None))
        work.session.execute(first.values(outbound_secret_sealed=sealed))
    work.audit("party.put", "party", party_id)
    return party_id


def register_package_key(work: Work, party_id: UUID, jwk: Mapping[str, Any]) -> str:
    """What is encrypted to this insurer from now on is encrypted to this public key; its id, by which the insurer tells
    its keys apart. Invalid for what is no public key on the curve."""
    if party_kind(work.session, party_id) != "insurer":
        raise Invalid("no_insurer", "只有保险公司登记理赔包的加密公钥")
    try:
        key = read_public_key(jwk)
    except ValueError as error:
        raise Invalid("key_unusable", f"公钥无法使用：{error}") from error
    work.session.execute(update(Party).where(Party.id == party_id).values(package_key=key))
    work.audit("party.package_key", "party", party_id, key_id=key["kid"])
    return key["kid"]


def package_key(session: Session, party_id: UUID) -> dict[str, str] | None:
    """The insurer's public key; None for one whose dialect carries no package. Conflict if it speaks ours and has none:
    personal data are not sent in the open."""
    found = party(session, party_id)
    if found.config.get("dialect", NATIVE) != NATIVE:
        return None
    if found.package_key is None:
        raise Conflict("no_package_key", "保险公司尚未登记理赔包的加密公钥")
    return found.package_key


def add_outbound_secret(work: Work, party_id: UUID, secret: str) -> None:
    """From now on what we send to the party is signed with `secret` too. Invalid for what is no `whsec_…`, Conflict if
    two sign already: the older one has to be retired first."""
    if signatures.is_public(secret) or not signatures.is_usable(secret):
        raise Invalid("key_malformed", "密钥应为 whsec_ 开头的共享密钥")
    row = _locked(work, party_id)
    if row.outbound_older_sealed is not None:
        raise Conflict("two_keys_live", "已有两把有效密钥，请先停用一把")
    for older in _outbound_secrets(work.privacy, row):
        work.seal(row, "outbound_older_sealed", older)
    work.seal(row, "outbound_secret_sealed", secret)
    work.audit("outbound_secret.add", "party", party_id)


def retire_outbound_secret(work: Work, party_id: UUID) -> None:
    """The older of two secrets signs no more. Conflict if there is only one."""
    row = _locked(work, party_id)
    if row.outbound_older_sealed is None:
        raise Conflict("last_key", "这是最后一把有效密钥，不能停用")
    row.outbound_older_sealed = None
    work.audit("outbound_secret.retire", "party", party_id)


def _outbound_secrets(privacy: Privacy, row: Party) -> list[str]:
    """Newest first."""
    columns = ("outbound_secret_sealed", "outbound_older_sealed")
    sealed = [(name, getattr(row, name)) for name in columns]
    return [privacy.open(value, _place(name, row.id)) for name, value in sealed if value is not None]


def _place(column: str, party_id: UUID) -> str:
    return f"party:{column}:{party_id}"


def _locked(work: Work, party_id: UUID) -> Party:
    row = work.session.get(Party, party_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound
    return row
