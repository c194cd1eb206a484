"""Hospitals, departments, doctors and slots to choose from; booking and cancelling."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from app.appointment import contracts as c
from app.appointment import queries, service, views
from app.core.errors import NotFound
from app.core.paging import PageQuery
from app.core.work import Work
from app.exchange import service as exchange
from app.web.routes import command, door, first, question, refuses
from app.web.site import ACCOUNT, Caller, runtime

if TYPE_CHECKING:
    from app.appointment.models import Slot

bp = APIBlueprint("appointment", __name__, url_prefix="/api/v1", tag="预约")
MINE = door(ACCOUNT)
REFUSES_BOOKING = {
    404: ("person_unknown",),
    409: (
        "slot_full", "slot_stopped", "slot_past", "slot_moved", "already_booked", "too_many_appointments",
        "too_many_in_account", "pay_elsewhere", "medical_card_differs",
    ),
    422: ("medical_card_required", "medical_card_invalid"),
}  # fmt: skip


@question(bp, "/hospitals", MINE, out=c.HospitalPage)
def list_hospitals(session: Session, caller: Caller) -> c.HospitalPage:
    """可以预约的医院"""
    found = exchange.parties(session, "hospital")
    return c.HospitalPage(items=[c.HospitalView(id=p.id, code=p.code, name=p.name) for p in found])


@question(bp, "/hospitals/<code>/departments", MINE, out=c.DepartmentPage)
def list_departments(session: Session, caller: Caller, code: str) -> c.DepartmentPage:
    """医院的科室"""
    found = queries.departments(session, _hospital(session, code))
    return c.DepartmentPage(items=[c.DepartmentView(code=d.code, name=d.name) for d in found])


@question(bp, "/hospitals/<code>/doctors", MINE, out=c.DoctorPage, query=c.OfDepartment)
def list_doctors(session: Session, caller: Caller, query: c.OfDepartment, code: str) -> c.DoctorPage:
    """医院的医生，可按科室筛选"""
    found = queries.doctors(session, _hospital(session, code), query.department)
    return c.DoctorPage(items=[c.DoctorView.model_validate(d, from_attributes=True) for d in found])


@question(bp, "/hospitals/<code>/slots", MINE, out=c.SlotPage, query=c.SlotQuery)
def list_slots(session: Session, caller: Caller, query: c.SlotQuery, code: str) -> c.SlotPage:
    """号源，按时间先后，可按科室、医生、日期筛选"""
    found, cursor = queries.slots(session, _hospital(session, code), query)
    return c.SlotPage(items=[views.slot(row) for row in found], next_cursor=cursor)


@question(bp, "/slots/<uuid:slot_id>/nearby", MINE, out=c.SlotPage)
def list_nearby(session: Session, caller: Caller, slot_id: UUID) -> c.SlotPage:
    """附近有号的号源：同科室，先近日、再同一医生"""
    slot = queries.slot(session, slot_id)
    if slot is None:
        raise NotFound
    return c.SlotPage(items=_nearby(session, slot))


@command(bp, "/appointments", MINE, body=c.Book, out=c.AppointmentView, status=201)
@refuses(REFUSES_BOOKING)
@first(service.refuse_in_vain)
def book(work: Work, caller: Caller, body: c.Book) -> c.AppointmentView:
    """预约一个号源"""
    return views.booked(work.session, service.book(work, caller.id, body))


@question(bp, "/appointments", MINE, out=c.AppointmentPage, query=PageQuery)
def list_appointments(session: Session, caller: Caller, query: PageQuery) -> c.AppointmentPage:
    """我的预约，最新的在前"""
    rows, cursor = queries.page_of_account(session, caller.id, query)
    return c.AppointmentPage(items=views.many(session, rows), next_cursor=cursor)


@question(bp, "/appointments/<uuid:appointment_id>", MINE, out=c.AppointmentView)
def read_appointment(session: Session, caller: Caller, appointment_id: UUID) -> c.AppointmentView:
    """一次预约"""
    row = queries.appointment(session, appointment_id)
    if row is None or row.account_id != caller.id:
        raise NotFound
    shown = views.one(session, row)
    slot = queries.slot(session, row.slot_id)
    if shown.refused_code and slot is not None:
        shown.nearby = _nearby(session, slot)
    return shown


@command(bp, "/appointments/<uuid:appointment_id>/cancel", MINE, out=c.AppointmentView)
@refuses({409: ("too_late",)})
def cancel(work: Work, caller: Caller, appointment_id: UUID) -> c.AppointmentView:
    """取消预约；已付的挂号费原路退回"""
    return views.one(work.session, service.cancel(work, caller.id, appointment_id))


def _hospital(session: Session, code: str) -> UUID:
    party = exchange.party_by_code(session, code)
    if party.kind != "hospital":
        raise NotFound
    return party.id


def _nearby(session: Session, slot: Slot) -> list[c.SlotView]:
    return [views.slot(row) for row in queries.free_nearby(session, slot, runtime().clock.horizon())]
