"""What patients read of their own: bills, visits, reports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.core.paging import PageQuery
from app.core.work import Work
from app.identity import service as identity
from app.record import contracts as c
from app.record import queries, service
from app.record.queries import BillFacts
from app.web.routes import door, question
from app.web.site import ACCOUNT, Caller

bp = APIBlueprint("record", __name__, url_prefix="/api/v1", tag="就诊与账单")
MINE = door(ACCOUNT)
AWAITED = "正在等待医院提供数据，请稍后查看"
MORE_FOLLOWS = "已显示最近的数据，医院正在继续提供其余部分"


@question(bp, "/bills", MINE, out=c.BillPage, query=c.OfPerson)
def list_bills(session: Session, caller: Caller, query: c.OfPerson) -> c.BillPage:
    """就诊人的结算单，最新的在前"""
    numbers, awaited = _records(session, caller, query.person_id)
    shown, cursor = _page(queries.bills_of_patients(session, numbers, query), query)
    return c.BillPage(items=[_bill(bill) for bill in shown], next_cursor=cursor, awaited=awaited)


@question(bp, "/bills/<uuid:bill_id>", MINE, out=c.BillDetail)
def read_bill(session: Session, caller: Caller, bill_id: UUID) -> c.BillDetail:
    """一张结算单及其费用明细"""
    bill = queries.bill(session, bill_id)
    if bill is None:
        raise NotFound
    _require_mine(session, caller, bill.hospital_id, bill.patient_no)
    lines = [
        c.FeeLineView(
            line_no=line.line_no,
            category=line.category,
            name=line.name,
            unit_price=str(line.unit_price),
            quantity=str(line.quantity),
            amount_fen=line.amount_fen,
            insurance_class=line.insurance_class,
        )
        for line in queries.lines(session, [bill_id])
    ]
    return c.BillDetail(**_bill(bill).model_dump(), lines=lines)


@question(bp, "/visits", MINE, out=c.VisitPage, query=c.OfPerson)
def list_visits(session: Session, caller: Caller, query: c.OfPerson) -> c.VisitPage:
    """就诊人的就诊记录，最新的在前"""
    numbers, awaited = _records(session, caller, query.person_id)
    shown, cursor = _page(queries.visits_of_patients(session, numbers, query), query)
    items = [c.VisitView.model_validate(visit, from_attributes=True) for visit in shown]
    return c.VisitPage(items=items, next_cursor=cursor, awaited=awaited)


@question(bp, "/reports", MINE, out=c.ReportPage, query=c.OfPerson)
def list_reports(session: Session, caller: Caller, query: c.OfPerson) -> c.ReportPage:
    """就诊人的检查检验报告，最新的在前"""
    numbers, awaited = _records(session, caller, query.person_id)
    shown, cursor = _page(queries.reports_of_patients(session, numbers, query), query)
    items = [c.ReportView.model_validate(report, from_attributes=True) for report in shown]
    return c.ReportPage(items=items, next_cursor=cursor, awaited=awaited)


@question(bp, "/reports/<uuid:report_id>", MINE, out=c.ReportDetail, audited=True)
def read_report(work: Work, caller: Caller, report_id: UUID) -> c.ReportDetail:
    """一份检查检验报告的内容"""
    visit = queries.visit_of_report(work.session, report_id)
    if visit is None:
        raise NotFound
    _require_mine(work.session, caller, visit.hospital_id, visit.patient_no)
    report, summary = service.read_report(work, report_id, "patient reads the report")
    head = c.ReportView.model_validate(report, from_attributes=True)
    return c.ReportDetail(**head.model_dump(), summary=summary)


def _records(session: Session, caller: Caller, person_id: UUID) -> tuple[list[tuple[UUID, str]], list[c.AwaitedView]]:
    """The patient numbers of a person that the caller is bound to, and the hospitals whose records are still awaited;
    NotFound for anybody else's."""
    identity.require_person(session, caller.id, person_id)
    awaited = [
        c.AwaitedView(
            hospital_id=one.hospital_id,
            since=one.since,
            more_follows=one.more_follows,
            text=MORE_FOLLOWS if one.more_follows else AWAITED,
        )
        for one in identity.awaited_records(session, person_id)
    ]
    return identity.patient_numbers(session, person_id), awaited


def _page(found: Sequence[Any], query: PageQuery) -> tuple[Sequence[Any], UUID | None]:
    """What is shown of one more than a page, and the cursor of the next."""
    shown = found[: query.limit]
    return shown, shown[-1].id if len(found) > query.limit else None


def _require_mine(session: Session, caller: Caller, hospital_id: UUID, patient_no: str) -> None:
    person_id = identity.person_of_patient(session, hospital_id, patient_no)
    if person_id is None:
        raise NotFound
    identity.require_bound(session, caller.id, person_id)


def _bill(bill: BillFacts) -> c.BillView:
    return c.BillView(
        id=bill.id,
        hospital_id=bill.hospital_id,
        bill_no=bill.bill_no,
        visit_id=bill.visit_id,
        department_name=bill.department_name,
        started_at=bill.started_at,
        billed_on=bill.billed_on,
        total_fen=bill.total_fen,
        fund_fen=bill.fund_fen,
        account_fen=bill.account_fen,
        self_pay_fen=bill.self_pay_fen,
        borne_fen=bill.borne_fen,
        state=bill.state,
        refused=bill.refused_text,
        e_bill_state=bill.e_bill_state,
    )
