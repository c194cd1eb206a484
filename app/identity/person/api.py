from __future__ import annotations

from uuid import UUID

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from app.core.work import Work
from app.identity.credential import service as credentials
from app.identity.login import service as login
from app.identity.person import contracts as c
from app.identity.person import phone_codes, queries, service
from app.identity.person.people import PersonFacts
from app.identity.person.queries import BindingView
from app.identity.person.service import WantedBinding
from app.web.routes import command, door, question, refuses
from app.web.site import ACCOUNT, Caller

bp = APIBlueprint("person", __name__, url_prefix="/api/v1", tag="就诊人")
MINE = door(ACCOUNT)
REFUSES_CODE = {429: ("phone_code_too_soon", "phone_code_limit")}
REFUSES_BINDING = {
    409: ("already_bound", "self_already_bound", "too_many_bindings"),
    422: ("phone_code_wrong", "birth_date_future", "document_too_young", "guardian_needed", "guardian_not_bound"),
}


@command(bp, "/phone-codes", MINE, out=c.PhoneCodeView, body=c.PhoneCodeInput, status=202)
@refuses(REFUSES_CODE)
def want_phone_code(work: Work, caller: Caller, body: c.PhoneCodeInput) -> c.PhoneCodeView:
    """向手机发送 6 位验证码，10 分钟内有效"""
    hospital_id = credentials.party_of_app(work.session, login.account(work.session, caller.id).app_id)
    phone_codes.want(work, caller.id, hospital_id, body.phone)
    return c.PhoneCodeView()


@command(bp, "/bindings", MINE, out=c.BindingOut, body=c.BindingInput, status=202)
@refuses(REFUSES_BINDING)
def create_binding(work: Work, caller: Caller, body: c.BindingInput) -> c.BindingOut:
    """绑定就诊人；由医院核对后生效"""
    with work.runtime.work(work.actor) as aside:  # a wrong code counts although this transaction is rolled back
        phone_codes.count_try(aside, caller.id, body.phone)
    assert body.birth_date is not None and body.sex is not None
    claim = PersonFacts(
        name=body.name,
        document_type=body.document_type,
        document_no=body.document_no,
        phone=body.phone,
        birth_date=body.birth_date,
        sex=body.sex,
        medical_card_no=body.medical_card_no,
    )
    proof = body.guardian_proof.model_dump() if body.guardian_proof else None
    binding_id = service.bind(work, caller.id, WantedBinding(claim, body.relation, body.phone_code, proof))
    return _out(queries.binding(work.session, caller.id, binding_id))


@question(bp, "/bindings", MINE, out=c.BindingsOut)
def list_bindings(session: Session, caller: Caller) -> c.BindingsOut:
    """我的就诊人"""
    return c.BindingsOut(bindings=[_out(one) for one in queries.bindings_of(session, caller.id)])


@question(bp, "/bindings/<uuid:binding_id>", MINE, out=c.BindingOut)
def read_binding(session: Session, caller: Caller, binding_id: UUID) -> c.BindingOut:
    """一个绑定的状态"""
    return _out(queries.binding(session, caller.id, binding_id))


@command(bp, "/bindings/<uuid:binding_id>/revoke", MINE, out=c.BindingOut)
@refuses({409: ("revoke_children_first",)})
def revoke_binding(work: Work, caller: Caller, binding_id: UUID) -> c.BindingOut:
    """解除绑定"""
    service.revoke(work, caller.id, binding_id)
    return _out(queries.binding(work.session, caller.id, binding_id))


def _out(found: BindingView) -> c.BindingOut:
    out = c.BindingOut.model_validate(found)
    if found.refused_code:
        out.reason = c.REFUSALS.get(found.refused_code, c.REFUSED)
    return out
