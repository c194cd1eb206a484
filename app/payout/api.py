"""The patient's payouts, and the operators who let large ones go."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from app.claim.queries import lookup
from app.core.errors import NotFound
from app.core.work import Work
from app.identity import service as identity
from app.payout import contracts as c
from app.payout import queries, rules, service
from app.payout.states import State
from app.web.routes import command, door, question, refuses
from app.web.site import ACCOUNT, OPERATOR, Caller, runtime

if TYPE_CHECKING:
    from app.payout.models import Payout

bp = APIBlueprint("payout", __name__, url_prefix="/api/v1", tag="赔付打款")
operator_bp = APIBlueprint("payout_operator", __name__, url_prefix="/api/v1/operator", tag="赔付审批")
MINE = door(ACCOUNT)
APPROVER = door(OPERATOR, roles=("payout_approver",))


@question(bp, "/payouts", MINE, out=c.PayoutPage, query=c.OfClaim)
def list_payouts(session: Session, caller: Caller, query: c.OfClaim) -> c.PayoutPage:
    """一次理赔的付款"""
    claim = lookup.claim(session, query.claim_id)
    if claim is None or claim.account_id != caller.id:
        raise NotFound
    return c.PayoutPage(items=[_view(session, row) for row in queries.of_claim(session, claim.id)])


@question(bp, "/payouts/<uuid:payout_id>", MINE, out=c.PayoutView)
def read_payout(session: Session, caller: Caller, payout_id: UUID) -> c.PayoutView:
    """一笔付款；需要您确认收款时带有确认所需的信息"""
    row = queries.payout(session, payout_id)
    if row is None or row.account_id != caller.id:
        raise NotFound
    return _view(session, row)


@command(bp, "/payouts/<uuid:payout_id>/change-to-bank", MINE, body=c.ChangeToBank, out=c.PayoutView, status=201)
@refuses({409: ("payout_open", "nothing_to_pay")})
def change_to_bank(work: Work, caller: Caller, body: c.ChangeToBank, payout_id: UUID) -> c.PayoutView:
    """付款失败后改为银行卡收款"""
    new_id = service.change_to_bank(work, caller.id, payout_id, body.bank_account)
    return _view(work.session, service.get(work, new_id))


@question(operator_bp, "/payouts", APPROVER, out=c.HeldPage, query=c.HeldQuery)
def list_held(session: Session, caller: Caller, query: c.HeldQuery) -> c.HeldPage:
    """待审批（或其他状态）的付款"""
    rows, cursor = queries.page_by_status(session, query.status, caller.party_id, query)
    return c.HeldPage(items=[_held(session, row) for row in rows], next_cursor=cursor)


@command(operator_bp, "/payouts/<uuid:payout_id>/approve", APPROVER, out=c.HeldView)
def approve(work: Work, caller: Caller, payout_id: UUID) -> c.HeldView:
    """审批一笔付款；需要两位不同的同事"""
    return _held(work.session, service.approve(work, _operator(caller), payout_id))


@command(operator_bp, "/payouts/<uuid:payout_id>/reject", APPROVER, body=c.Reject, out=c.HeldView)
def reject(work: Work, caller: Caller, body: c.Reject, payout_id: UUID) -> c.HeldView:
    """拒绝一笔付款"""
    return _held(work.session, service.reject(work, _operator(caller), payout_id, body.reason))


def _operator(caller: Caller) -> service.Operator:
    return service.Operator(caller.id, caller.party_id)


def _view(session: Session, row: Payout) -> c.PayoutView:
    ended_badly = row.status in (State.FAILED, State.CANCELLED, State.RETURNED)
    return c.PayoutView(
        id=row.id,
        claim_id=row.claim_id,
        status=row.status,
        status_since=row.status_since,
        channel=row.channel,
        amount_fen=row.amount_fen,
        confirm=_confirm(session, row),
        failed=rules.FAILURES.get(row.failed_code or "", rules.FAILED) if ended_badly else None,
    )


def _confirm(session: Session, row: Payout) -> c.ConfirmView | None:
    if row.status != State.WAITING_USER_CONFIRM or row.package_info is None:
        return None
    merchant = identity.merchant_credentials(session, runtime().privacy, party_id=row.insurer_id)
    app_id, _ = identity.payment_identity(session, row.account_id)
    return c.ConfirmView(mchId=merchant.mchid, appId=app_id, package=row.package_info)


def _held(session: Session, row: Payout) -> c.HeldView:
    return c.HeldView(
        id=row.id,
        claim_no=row.claim_no,
        insurer_id=row.insurer_id,
        status=row.status,
        status_since=row.status_since,
        channel=row.channel,
        amount_fen=row.amount_fen,
        held_for=row.held_for,
        approvals=len(queries.approvals(session, row.id)),
        approvals_needed=row.approvals_needed,
    )
