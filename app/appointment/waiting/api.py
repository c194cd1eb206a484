"""The waiting list: joining, the place in line, taking an offer, leaving."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from app.appointment import contracts as appointment_contracts
from app.appointment import views
from app.appointment.waiting import contracts as c
from app.appointment.waiting import queries, rules, service
from app.core.errors import NotFound
from app.core.paging import PageQuery
from app.core.work import Work
from app.web.routes import command, door, question, refuses
from app.web.site import ACCOUNT, Caller, runtime

if TYPE_CHECKING:
    from app.appointment.waiting.models import WaitingEntry

bp = APIBlueprint("waiting", __name__, url_prefix="/api/v1", tag="候补")
MINE = door(ACCOUNT)
REFUSES_JOINING = {
    404: ("person_unknown", "hospital_unknown", "doctor_unknown"),
    409: (
        "slot_free", "slot_stopped", "slot_past", "day_past", "no_clinic", "already_booked", "already_waiting",
        "pay_elsewhere", "medical_card_differs",
    ),
    422: ("medical_card_required", "medical_card_invalid"),
}  # fmt: skip
REFUSES_ACCEPTING = {
    404: ("person_unknown",),
    409: ("offer_over", "already_booked", "too_many_appointments", "too_many_in_account", "pay_elsewhere"),
}


@command(bp, "/waiting-entries", MINE, body=c.Join, out=c.WaitingView, status=201)
@refuses(REFUSES_JOINING)
def join(work: Work, caller: Caller, body: c.Join) -> c.WaitingView:
    """候补一个约满的号源，或某位医生某一天的任一号源"""
    return _view(work.session, service.join(work, caller.id, body))


@question(bp, "/waiting-entries", MINE, out=c.WaitingPage, query=PageQuery)
def list_entries(session: Session, caller: Caller, query: PageQuery) -> c.WaitingPage:
    """我的候补，最新的在前，含排队位置"""
    rows, cursor = queries.page_of_account(session, caller.id, query)
    return c.WaitingPage(items=[_view(session, row) for row in rows], next_cursor=cursor)


@question(bp, "/waiting-entries/<uuid:entry_id>", MINE, out=c.WaitingView)
def read_entry(session: Session, caller: Caller, entry_id: UUID) -> c.WaitingView:
    """一次候补"""
    row = queries.entry(session, caller.id, entry_id)
    if row is None:
        raise NotFound
    return _view(session, row)


@command(bp, "/waiting-entries/<uuid:entry_id>/accept", MINE, out=appointment_contracts.AppointmentView, status=201)
@refuses(REFUSES_ACCEPTING)
def accept(work: Work, caller: Caller, entry_id: UUID) -> appointment_contracts.AppointmentView:
    """接受保留的名额，生成预约"""
    return views.booked(work.session, service.accept(work, caller.id, entry_id))


@command(bp, "/waiting-entries/<uuid:entry_id>/leave", MINE, out=c.WaitingView)
def leave(work: Work, caller: Caller, entry_id: UUID) -> c.WaitingView:
    """退出候补，或放弃保留的名额"""
    return _view(work.session, service.leave(work, caller.id, entry_id))


def _view(session: Session, row: WaitingEntry) -> c.WaitingView:
    return c.WaitingView(
        id=row.id,
        hospital_id=row.hospital_id,
        person_id=row.person_id,
        slot_id=row.slot_id,
        doctor_code=row.doctor_code,
        day=row.day,
        self_pay=row.self_pay,
        status=row.status,
        status_since=row.status_since,
        place=queries.place(session, row),
        passed_over=queries.is_passed_over(session, runtime().settings, row),
        offered_slot_id=row.offered_slot_id,
        offer_until=row.offer_until,
        appointment_id=row.appointment_id,
        reason_code=row.why,
        reason=rules.REASONS.get(row.why) if row.why else None,
    )
