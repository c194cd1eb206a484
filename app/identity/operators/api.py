from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import pyotp
from apiflask import APIBlueprint
from flask import Request
from sqlalchemy.orm import Session

from app.core.errors import Unauthorised
from app.core.work import Runtime, Work
from app.exchange import service as exchange
from app.identity.operators import calls, service
from app.identity.operators import contracts as c
from app.identity.operators.service import NewOperator
from app.identity.session.contracts import DoneView, RefreshInput, TokenView
from app.web.routes import command, door, question, talk
from app.web.site import OPERATOR, PUBLIC, Caller, actor, bearer

if TYPE_CHECKING:
    from app.gateways import Gateways

bp = APIBlueprint("operator", __name__, url_prefix="/api/v1/operator", tag="运营人员")


def authenticate(request: Request, runtime: Runtime) -> Caller:
    """The operator behind an access token, with the roles held at this moment."""
    session_id = runtime.tokens.read(bearer(request), OPERATOR).session
    with runtime.read() as session:
        found = service.operator_of_session(session, session_id)
    if found is None:
        raise Unauthorised("session_ended", "登录已失效，请重新登录")
    return Caller(OPERATOR, found.id, found.party_id, found.roles, session_id)


@talk(bp, "/login", door(PUBLIC), out=TokenView, body=c.OperatorLoginInput)
def operator_login(runtime: Runtime, _: Gateways, caller: None, body: c.OperatorLoginInput) -> TokenView:
    """运营人员登录：密码加动态口令"""
    pair = calls.log_in(runtime, actor(caller), body.login, body.password, body.totp)
    return TokenView.model_validate(pair, from_attributes=True)


@talk(bp, "/refresh", door(PUBLIC), out=TokenView, body=RefreshInput)
def operator_refresh(runtime: Runtime, _: Gateways, caller: None, body: RefreshInput) -> TokenView:
    """换取新的令牌；每个 refresh_token 只能用一次"""
    return TokenView.model_validate(calls.renew(runtime, actor(caller), body.refresh_token), from_attributes=True)


@command(bp, "/logout", door(OPERATOR), out=DoneView)
def operator_logout(work: Work, caller: Caller) -> DoneView:
    """退出登录"""
    assert caller.session_id is not None
    service.log_out(work, caller.session_id)
    return DoneView()


@question(bp, "/me", door(OPERATOR), out=c.OperatorOut)
def operator_me(session: Session, caller: Caller) -> c.OperatorOut:
    """当前登录的运营人员"""
    return c.OperatorOut.model_validate(service.operator(session, caller.id))


@question(bp, "/operators", door(OPERATOR, roles=("administrator", "security", "auditor")), out=c.OperatorsOut)
def list_operators(session: Session, _: Caller) -> c.OperatorsOut:
    """运营人员名单"""
    return c.OperatorsOut(operators=[c.OperatorOut.model_validate(one) for one in service.operators(session)])


@command(
    bp, "/operators", door(OPERATOR, roles=("administrator",)), out=c.NewOperatorOut, body=c.OperatorInput, status=201
)
def create_operator(work: Work, _: Caller, body: c.OperatorInput) -> c.NewOperatorOut:
    """新增运营人员"""
    party_id = exchange.party_by_code(work.session, body.party).id if body.party else None
    secret = pyotp.random_base32()
    new = NewOperator(body.login, body.roles, party_id, body.password, secret)
    made = service.operator(work.session, service.add_operator(work, new))
    uri = pyotp.TOTP(secret).provisioning_uri(name=body.login, issuer_name="Zhipei")
    return c.NewOperatorOut(**c.OperatorOut.model_validate(made).model_dump(), totp_uri=uri)


@command(bp, "/operators/<uuid:operator_id>/stop", door(OPERATOR, roles=("security",)), out=c.OperatorOut)
def stop_operator(work: Work, _: Caller, operator_id: UUID) -> c.OperatorOut:
    """停用运营人员"""
    service.stop_operator(work, operator_id)
    return c.OperatorOut.model_validate(service.operator(work.session, operator_id))
