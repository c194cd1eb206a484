"""Hospitals, departments, doctors and slots to choose from; booking and cancelling."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from app.appointment import contracts as c
from app.appointment import queries, rules, service
from app.core.errors import NotFound
from app.core.paging import PageQuery
from app.core.work import Work
from app.exchange import service as exchange
from app.web.routes import command, door, first, question
from app.web.site import ACCOUNT, Caller

if TYPE_CHECKING:
    from app.appointment.models import Appointment, Slot

bp = APIBlueprint("appointment", __name__, url_prefix="/api/v1", tag="预约")
MINE = door(ACCOUNT)


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
    """号源，可按科室、医生、日期筛选"""
    found = queries.slots(
        session, _hospital(session, code), department=query.department, doctor=query.doctor, on=query.on
    )
    return c.SlotPage(
        items=[
            c.SlotView(
                id=s.id,
                department_code=s.department_code,
                doctor_code=s.doctor_code,
                starts_at=s.starts_at,
                ends_at=s.ends_at,
                fee_fen=s.fee_fen,
                left=s.capacity - s.taken,
                stopped=s.stopped,
            )
            for s in found
        ]
    )


@command(bp, "/appointments", MINE, body=c.Book, out=c.AppointmentView, status=201)
@first(service.refuse_in_vain)
def book(work: Work, caller: Caller, body: c.Book) -> c.AppointmentView:
    """预约一个号源"""
    return _one(work.session, service.book(work, caller.id, body))


@question(bp, "/appointments", MINE, out=c.AppointmentPage, query=PageQuery)
def list_appointments(session: Session, caller: Caller, query: PageQuery) -> c.AppointmentPage:
    """我的预约，最新的在前"""
    rows, cursor = queries.page_of_account(session, caller.id, query)
    slots = queries.slots_of(session, rows)
    return c.AppointmentPage(items=[_view(row, slots[row.slot_id]) for row in rows], next_cursor=cursor)


@question(bp, "/appointments/<uuid:appointment_id>", MINE, out=c.AppointmentView)
def read_appointment(session: Session, caller: Caller, appointment_id: UUID) -> c.AppointmentView:
    """一次预约"""
    row = queries.appointment(session, appointment_id)
    if row is None or row.account_id != caller.id:
        raise NotFound
    return _one(session, row)


@command(bp, "/appointments/<uuid:appointment_id>/cancel", MINE, out=c.AppointmentView)
def cancel(work: Work, caller: Caller, appointment_id: UUID) -> c.AppointmentView:
    """取消预约；已付的挂号费原路退回"""
    return _one(work.session, service.cancel(work, caller.id, appointment_id))


def _hospital(session: Session, code: str) -> UUID:
    party = exchange.party_by_code(session, code)
    if party.kind != "hospital":
        raise NotFound
    return party.id


def _one(session: Session, row: Appointment) -> c.AppointmentView:
    return _view(row, queries.slots_of(session, [row])[row.slot_id])


def _view(row: Appointment, slot: Slot) -> c.AppointmentView:
    refused = rules.REFUSALS.get(row.refused_code, rules.REFUSED) if row.refused_code else None
    return c.AppointmentView(
        id=row.id,
        no=row.no,
        hospital_id=row.hospital_id,
        slot_id=row.slot_id,
        person_id=row.person_id,
        status=row.status,
        status_since=row.status_since,
        starts_at=slot.starts_at,
        fee_fen=row.fee_fen,
        payment_id=row.payment_order_id,
        pay_by=row.pay_by,
        refused=refused,
    )
