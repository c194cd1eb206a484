"""Bindings: claimed by an account, ended by it or by time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select

from app.core.errors import Conflict, Invalid, NotFound
from app.core.work import Work
from app.identity.credential.service import party_of_app
from app.identity.login.models import Account
from app.identity.person import checks, endings, people, phone_codes, rules
from app.identity.person.models import MAX_BINDINGS, Binding, Person
from app.identity.person.people import PersonFacts
from app.identity.person.states import BindingState, bindings

_SEATED = (BindingState.PENDING, BindingState.LIVE)


@dataclass(frozen=True)
class WantedBinding:
    """What an account claims. `guardian_proof` (kind, number) is needed for a child."""

    claim: PersonFacts
    relation: str
    phone_code: str = field(repr=False)
    guardian_proof: Mapping[str, str] | None = field(default=None, repr=False)


def bind(work: Work, account_id: UUID, wanted: WantedBinding) -> UUID:
    """Use up the phone code, take a seat of the account and ask the hospital. The answer comes later."""
    claim = wanted.claim
    phone_codes.use(work, account_id, claim.phone, wanted.phone_code)
    account = work.session.get(Account, account_id, with_for_update={"key_share": True})
    if account is None:
        raise NotFound
    index = people.document_index(work.privacy, claim.document_type, claim.document_no)
    child = _require_plausible(work, claim)
    row = Binding(
        account_id=account_id,
        hospital_id=party_of_app(work.session, account.app_id),
        relation=wanted.relation,
        seat=_free_seat(work, account_id, index, wanted.relation),
        document_index=index,
        name_mask=people.mask_name(claim.name),
        child=child,
        guardian_id=_guardian(work, account_id, wanted) if child else None,
        consented_at=work.now,
        expires_at=work.now + rules.PENDING_LIFE,
    )
    work.seal(row, "claim_sealed", claim.to_text())
    if child:
        work.seal(row, "guardian_proof_sealed", json.dumps(dict(wanted.guardian_proof or {}), ensure_ascii=False))
    bindings.start(work, row, BindingState.PENDING)
    work.session.flush()
    checks.ask_hospital(work, row.id)
    return row.id


def revoke(work: Work, account_id: UUID, binding_id: UUID) -> None:
    """The account lets go of a person, or of a claim that is still checked."""
    work.session.execute(select(Account.id).where(Account.id == account_id).with_for_update(key_share=True))
    row = work.session.get(Binding, binding_id, with_for_update=True)
    if row is None or row.account_id != account_id:
        raise NotFound
    if row.relation == "self" and _guards(work, row):
        raise Conflict("revoke_children_first", "请先解除您作为监护人绑定的儿童")
    endings.end(work, row, "account")


def expire_pending(work: Work, limit: int = 500) -> int:
    """End the claims whose hospital did not answer in time; how many."""
    late = select(Binding.id).where(Binding.status == BindingState.PENDING, Binding.expires_at <= work.now)
    ids = list(work.session.scalars(late.order_by(Binding.id).limit(limit)))
    moved = bindings.move(work, ids, "expire", values=endings.forgotten(), lenient=True) if ids else []
    for one in moved:
        work.emit("identity.binding_refused", one.id)
    return len(moved)


def _require_plausible(work: Work, claim: PersonFacts) -> bool:
    """Whether the claim is about a child; Invalid where document and age cannot be."""
    today = work.clock.today()
    if claim.birth_date > today:
        raise Invalid("birth_date_future", "出生日期不能晚于今天", fields={"birth_date": "出生日期不能晚于今天"})
    child = rules.is_child(claim.birth_date, today)
    if claim.document_type == "birth_certificate" and not child:
        raise Invalid("document_too_young", "满 14 周岁请使用身份证件", fields={"document_type": "请使用身份证件"})
    return child


def _free_seat(work: Work, account_id: UUID, index: str, relation: str) -> int:
    """The lowest free seat; the account's row is locked, and unique indexes stand behind this check."""
    mine = select(Binding.seat, Binding.document_index, Binding.relation)
    taken = work.session.execute(mine.where(Binding.account_id == account_id, Binding.status.in_(_SEATED))).all()
    if any(row.document_index == index for row in taken):
        raise Conflict("already_bound", "这位就诊人已经绑定或正在核对")
    if relation == "self" and any(row.relation == "self" for row in taken):
        raise Conflict("self_already_bound", "您已经绑定了本人")
    free = set(range(1, MAX_BINDINGS + 1)) - {row.seat for row in taken}
    if not free:
        raise Conflict("too_many_bindings", f"一个微信用户最多绑定 {MAX_BINDINGS} 位就诊人")
    return min(free)


def _guardian(work: Work, account_id: UUID, wanted: WantedBinding) -> UUID:
    """The account's own person, who must be an adult, bound live, and show a proof."""
    own = select(Person).join(Binding, Binding.person_id == Person.id)
    own = own.where(Binding.account_id == account_id, Binding.relation == "self", Binding.status == BindingState.LIVE)
    guardian = work.session.scalars(own).one_or_none()
    if wanted.relation not in ("child", "other") or not wanted.guardian_proof:
        raise Invalid("guardian_needed", "未满 14 周岁须由监护人绑定，并提供监护证明")
    if guardian is None or not rules.is_adult(guardian.birth_date, work.clock.today()):
        raise Invalid("guardian_not_bound", "请监护人先绑定本人，再绑定儿童")
    return guardian.id


def _guards(work: Work, row: Binding) -> bool:
    mine = (Binding.account_id == row.account_id, Binding.child, Binding.status.in_(_SEATED))
    return work.session.scalar(select(Binding.id).where(*mine).limit(1)) is not None
