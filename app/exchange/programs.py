"""Partners' programs and the keys that they sign with. Two of a program may live at once, so that a key is changed
without a pause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core.errors import Conflict, Invalid, NotFound, Unauthorised
from app.core.ids import new_id
from app.core.privacy import Privacy
from app.core.work import Work
from app.exchange import rules, signatures
from app.exchange.models import Partner, PartnerKey

# Without the ORM, and made once: every call of a partner runs it.
_KEY, _PROGRAM = cast(Table, PartnerKey.__table__), cast(Table, Partner.__table__)
_KEYS = (
    select(_KEY.c.id, _KEY.c.secret_sealed, _KEY.c.public_key, _KEY.c.partner_id, _PROGRAM.c.party_id)
    .join(_PROGRAM, (_KEY.c.partner_id == _PROGRAM.c.id) & _KEY.c.retired_at.is_(None))
    .where(_PROGRAM.c.code == bindparam("code"))
)


@dataclass(frozen=True)
class Signer:
    """The program behind a signed call."""

    partner_id: UUID
    party_id: UUID


def put_partner(work: Work, party_id: UUID, code: str, key: str | None = None, *, program: str = "") -> UUID:
    """Make the program known; `key` becomes its key unless it has, or had, that one already."""
    row = {"id": new_id(), "party_id": party_id, "code": code, "program": program or code.rpartition("-")[2]}
    wanted = insert(Partner).values(row)
    same = wanted.on_conflict_do_update(index_elements=[Partner.code], set_={"program": wanted.excluded.program})
    partner_id = work.session.execute(same.returning(Partner.id)).scalar_one()
    every = work.session.scalars(select(PartnerKey).where(PartnerKey.partner_id == partner_id))
    if key is not None and key not in [_open(work.privacy, row) for row in every]:
        add_key(work, partner_id, key)
    return partner_id


def note_bad_rows(work: Work, partner_id: UUID, number: int) -> None:
    """What the program says of the rows that it holds back."""
    work.session.execute(update(Partner).where(Partner.id == partner_id).values(bad_rows=number))


def partner_by_code(session: Session, code: str) -> Partner:
    found = session.scalar(select(Partner).where(Partner.code == code))
    if found is None:
        raise NotFound
    return found


def add_key(work: Work, partner_id: UUID, key: str) -> UUID:
    """A further live key: a shared secret (`whsec_…`) or the public half of an Ed25519 pair (`whpk_…`).

    Invalid for what is neither, a private key (`whsk_…`) among it. Conflict if there are two already: one has to be
    retired first.
    """
    if not signatures.is_usable(key):
        raise Invalid("key_malformed", "密钥应为 whsec_ 开头的共享密钥或 whpk_ 开头的 Ed25519 公钥")
    taken = set(work.session.scalars(_live_keys(partner_id).with_only_columns(PartnerKey.place)))
    free = sorted({1, 2} - taken)
    if not free:
        raise Conflict("two_keys_live", "已有两把有效密钥，请先停用一把")
    row = PartnerKey(partner_id=partner_id, place=free[0])
    if signatures.is_public(key):
        row.public_key = key
    else:
        work.seal(row, "secret_sealed", key)
    work.add(row)
    work.audit("partner_key.add", "partner", partner_id)
    return row.id


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
    keys: Sequence[Any] = _keys_of(session, code) if rules.may_ask(code, message_id) else ()
    if not any(signatures.is_signed_with(_open(privacy, key), headers, body) for key in keys):
        raise Unauthorised("signature_invalid", "签名无效：请检查 Zhipei-Partner、时间与签名")
    return Signer(keys[0].partner_id, keys[0].party_id)


def live_keys(session: Session, privacy: Privacy, code: str) -> list[str]:
    """What the program of this code may sign with now; none if nobody knows it."""
    return [_open(privacy, key) for key in _keys_of(session, code)]


def _keys_of(session: Session, code: str) -> Sequence[Any]:
    return session.connection().execute(_KEYS, {"code": code}).all()


def _open(privacy: Privacy, key: Any) -> str:
    """The key itself. A public one is no secret and stands unsealed."""
    if key.public_key is not None:
        return str(key.public_key)
    return privacy.open(key.secret_sealed, f"partner_key:secret_sealed:{key.id}")


def _live_keys(partner_id: UUID) -> Any:
    return select(PartnerKey).where(PartnerKey.partner_id == partner_id, PartnerKey.retired_at.is_(None))
