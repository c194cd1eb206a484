"""Trial and settlement of a bill, with the place in line; and what operators see of those that take long."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.core.paging import PageQuery
from app.core.steady import database_now
from app.core.work import Work
from app.identity import service as identity
from app.payment import queries as payment
from app.settlement import asking, queries, rules, ruling, service
from app.settlement import contracts as c
from app.web.routes import command, door, question, refuses
from app.web.site import ACCOUNT, OPERATOR, Caller, runtime

if TYPE_CHECKING:
    from app.settlement.models import Ruling, Settlement

bp = APIBlueprint("settlement", __name__, url_prefix="/api/v1", tag="医保结算")
operator_bp = APIBlueprint("settlement_operator", __name__, url_prefix="/api/v1/operator", tag="结算跟进")
MINE = door(ACCOUNT)
FINANCE = door(OPERATOR, roles=("finance",))
REFUSES_TRIAL = {
    409: ("not_registered", "bill_settled", "bill_refused", "no_interface", "in_line", "medical_card_differs"),
    422: ("medical_card_required", "medical_card_invalid"),
    429: ("trial_limited",),
}
REFUSES_SETTLING = {409: ("trial_expired", "bill_changed", "bill_settled", "bill_refused", "pay_elsewhere")}
REFUSES_RULING = {409: ("settlement_not_stuck", "reversal_owed", "ruling_open")}
REFUSES_CONFIRMING = {409: ("settlement_not_stuck", "no_ruling", "second_person_needed")}


@command(bp, "/trials", MINE, body=c.AskTrial, out=c.SettlementView, status=202)
@refuses(REFUSES_TRIAL)
def ask_trial(work: Work, caller: Caller, body: c.AskTrial) -> c.SettlementView:
    """申请医保试算：排队，轮到时自动试算并通知"""
    row = asking.ask_trial(work, caller.id, body)
    work.session.flush()
    return _view(work.session, row)


@question(bp, "/trials/<uuid:trial_id>", MINE, out=c.SettlementView)
def read_trial(session: Session, caller: Caller, trial_id: UUID) -> c.SettlementView:
    """试算进度：排队位置、预计时间、结果"""
    return _read(session, caller, trial_id)


@command(bp, "/trials/<uuid:trial_id>/leave", MINE, out=c.SettlementView)
def leave_line(work: Work, caller: Caller, trial_id: UUID) -> c.SettlementView:
    """退出试算排队；已开始试算的不能退出"""
    return _view(work.session, asking.leave(work, caller.id, trial_id))


@command(bp, "/settlements", MINE, body=c.Settle, out=c.SettlementView, status=201)
@refuses(REFUSES_SETTLING)
def settle(work: Work, caller: Caller, body: c.Settle) -> c.SettlementView:
    """按试算结果结算：先付自付部分，再结医保部分"""
    return _view(work.session, service.settle(work, caller.id, body.trial_id))


@question(bp, "/settlements/<uuid:settlement_id>", MINE, out=c.SettlementView)
def read_settlement(session: Session, caller: Caller, settlement_id: UUID) -> c.SettlementView:
    """结算进度"""
    return _read(session, caller, settlement_id)


@question(operator_bp, "/settlements/unfinished", door(OPERATOR, roles=("claims", "finance")), out=c.UnfinishedPage,
          query=PageQuery)  # fmt: skip
def list_unfinished(session: Session, caller: Caller, query: PageQuery) -> c.UnfinishedPage:
    """等待医保或医院回应、尚未完成的结算与撤销"""
    before = runtime().clock.now() - rules.DELAYED_AFTER
    rows, cursor = queries.unfinished(session, caller.party_id, before, query)
    proposed = queries.open_rulings(session, [row.id for row in rows])
    names = c.UnfinishedView.model_fields.keys() - {"ruling"}
    items = [
        c.UnfinishedView(
            **{name: getattr(row, name) for name in names},
            ruling=_ruling(proposed[row.id]) if row.id in proposed else None,
        )
        for row in rows
    ]
    return c.UnfinishedPage(items=items, next_cursor=cursor)


@command(operator_bp, "/settlements/<uuid:settlement_id>/ruling", FINANCE, body=c.Rule, out=c.RulingView, status=201)
@refuses(REFUSES_RULING)
def propose_ruling(work: Work, caller: Caller, body: c.Rule, settlement_id: UUID) -> c.RulingView:
    """医保接口始终没有明确答复时，凭证据登记是否已结算；需要另一位同事确认"""
    return _ruling(ruling.propose(work, _ruler(caller), settlement_id, body))


@command(operator_bp, "/settlements/<uuid:settlement_id>/ruling/confirm", FINANCE, out=c.RulingView)
@refuses(REFUSES_CONFIRMING)
def confirm_ruling(work: Work, caller: Caller, settlement_id: UUID) -> c.RulingView:
    """确认另一位同事的登记：退回自付部分，或通知医院和医保完成结算"""
    return _ruling(ruling.confirm(work, _ruler(caller), settlement_id))


@command(operator_bp, "/settlements/<uuid:settlement_id>/ruling/decline", FINANCE, out=c.RulingView)
@refuses({409: ("no_ruling",)})
def decline_ruling(work: Work, caller: Caller, settlement_id: UUID) -> c.RulingView:
    """不同意登记，或收回自己的登记"""
    return _ruling(ruling.decline(work, _ruler(caller), settlement_id))


def _ruler(caller: Caller) -> ruling.Ruler:
    return ruling.Ruler(caller.id, caller.party_id)


def _ruling(row: Ruling) -> c.RulingView:
    return c.RulingView(**{name: getattr(row, name) for name in c.RulingView.model_fields})


def _read(session: Session, caller: Caller, settlement_id: UUID) -> c.SettlementView:
    row = queries.settlement(session, settlement_id)
    if row is None:
        raise NotFound
    identity.require_bound(session, caller.id, row.person_id)
    return _view(session, row)


def _view(session: Session, row: Settlement) -> c.SettlementView:
    place, now = queries.place(session, row), database_now(session)
    back = payment.given_back(session, [row.payment_order_id])[row.payment_order_id]
    return c.SettlementView(
        id=row.id,
        bill_id=row.bill_id,
        person_id=row.person_id,
        status=row.status,
        status_since=row.status_since,
        place=place,
        expected_at=rules.shown(row.promised_at, now) if place else None,
        delayed=rules.delayed(row.promised_at, row.told_later, now) if place else None,
        valid_until=row.valid_until,
        total_fen=row.total_fen,
        fund_fen=row.fund_fen,
        account_fen=row.account_fen,
        self_pay_fen=row.self_pay_fen,
        insurance_part=row.insurance_part,
        self_pay_part=row.self_pay_part,
        payment_id=row.payment_order_id,
        **back._asdict(),
        refused_code=row.refused_code,
        refused=rules.why(row.refused_code, tried=row.fund_fen is not None) if row.refused_code else None,
    )
