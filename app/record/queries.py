"""What other floors and the patient read. Nothing here decrypts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, and_, cast, func, select, tuple_
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session, aliased

from app.core.paging import PageQuery
from app.record import rules
from app.record.models import IS_PART, Bill, Diagnosis, EBill, FeeLine, MedicalProcedure, Report, Visit

Numbers = Collection[tuple[UUID, str]]  # (hospital, patient number)


@dataclass(frozen=True)
class BillFacts:
    """One bill as other floors see it. `e_bill_state` is None while no e-bill has come, reversed if any was."""

    id: UUID
    hospital_id: UUID
    key: str
    bill_no: str
    patient_no: str
    visit_id: UUID
    visit_key: str
    visit_kind: str
    department_name: str
    started_at: datetime
    ended_at: datetime | None
    billed_on: date
    total_fen: int
    fund_fen: int
    account_fen: int
    self_pay_fen: int
    state: str
    refused_reason: str | None
    e_bill_state: str | None

    @property
    def refusal(self) -> str | None:
        """Why the bill cannot be used, in Chinese."""
        return rules.REFUSALS[self.refused_reason] if self.refused_reason is not None else None

    @property
    def borne_fen(self) -> int:
        """What the patient bore: everything but the fund's part (the personal account is the patient's own money)."""
        return self.total_fen - self.fund_fen

    @property
    def refused_text(self) -> str | None:
        """Why the bill cannot be used, in Chinese."""
        return rules.REFUSALS[self.refused_reason] if self.refused_reason else None


def _bills() -> Select[*tuple[Any, ...]]:
    e_bill_state = (
        select(func.max(EBill.state)).where(EBill.bill_id == Bill.id).correlate(Bill).scalar_subquery()
    )  # "reversed" sorts after "issued"
    return select(
        Bill.id, Bill.hospital_id, Bill.key, Bill.bill_no, Bill.patient_no, Bill.visit_id, Visit.key,
        Visit.kind, Visit.department_name, Visit.started_at, Visit.ended_at, Bill.billed_on, Bill.total_fen,
        Bill.fund_fen, Bill.account_fen, Bill.self_pay_fen, Bill.state, Bill.refused_reason, e_bill_state,
    ).join(Visit, Visit.id == Bill.visit_id)  # fmt: skip


def bills(session: Session, bill_ids: Collection[UUID]) -> list[BillFacts]:
    return [BillFacts(*row) for row in session.execute(_bills().where(Bill.id.in_(bill_ids)).order_by(Bill.id))]


def bill(session: Session, bill_id: UUID) -> BillFacts | None:
    return next(iter(bills(session, [bill_id])), None)


def bill_by_key(session: Session, hospital_id: UUID, key: str) -> BillFacts | None:
    row = session.execute(_bills().where(Bill.hospital_id == hospital_id, Bill.key == key)).one_or_none()
    return BillFacts(*row) if row else None


def bills_of_patient(session: Session, hospital_id: UUID, patient_no: str) -> list[BillFacts]:
    """Newest first."""
    return bills_of_patients(session, [(hospital_id, patient_no)], None)


def bills_of_patients(session: Session, numbers: Numbers, paging: PageQuery | None) -> list[BillFacts]:
    """Of one person's numbers at all hospitals, newest first; with `paging` one more than a page."""
    wanted = _bills().where(tuple_(Bill.hospital_id, Bill.patient_no).in_(numbers))
    found = session.execute(_turn(wanted, Bill, Bill.billed_on, paging))
    return [BillFacts(*row) for row in found]


def lines(session: Session, bill_ids: Collection[UUID]) -> Sequence[FeeLine]:
    """Without those that the hospital has deleted."""
    return session.scalars(
        select(FeeLine).where(FeeLine.bill_id.in_(bill_ids), IS_PART).order_by(FeeLine.bill_id, FeeLine.line_no)
    ).all()


def contents(session: Session, bill_ids: Collection[UUID]) -> dict[UUID, str]:
    """SHA-256 (hex) over everything that the lines of each bill say, in their order: two bills that differ in any line
    differ here, and a line that was pushed again as it was changes nothing."""
    said = (FeeLine.line_no, FeeLine.category, FeeLine.code, FeeLine.insurance_code, FeeLine.name, FeeLine.unit_price,
            FeeLine.quantity, FeeLine.amount_fen, FeeLine.insurance_class)  # fmt: skip
    each = aggregate_order_by(func.jsonb_build_array(*said), FeeLine.line_no, FeeLine.key)
    digest = func.encode(func.sha256(func.convert_to(cast(func.jsonb_agg(each), Text), "UTF8")), "hex")
    its_lines = and_(FeeLine.bill_id == Bill.id, IS_PART)
    wanted = select(Bill.id, digest).outerjoin(FeeLine, its_lines).where(Bill.id.in_(bill_ids)).group_by(Bill.id)
    found = session.execute(wanted)
    return {row.id: row[1] for row in found}


def visit(session: Session, visit_id: UUID) -> Visit | None:
    return session.get(Visit, visit_id)


def visit_of_report(session: Session, report_id: UUID) -> Visit | None:
    return session.scalar(select(Visit).join(Report, Report.visit_id == Visit.id).where(Report.id == report_id))


def visits_of_patients(session: Session, numbers: Numbers, paging: PageQuery) -> Sequence[Visit]:
    """As `bills_of_patients`."""
    wanted = select(Visit).where(tuple_(Visit.hospital_id, Visit.patient_no).in_(numbers))
    return session.scalars(_turn(wanted, Visit, Visit.started_at, paging)).all()


def diagnoses(session: Session, visit_ids: Collection[UUID]) -> Sequence[Diagnosis]:
    return session.scalars(
        select(Diagnosis).where(Diagnosis.visit_id.in_(visit_ids)).order_by(Diagnosis.visit_id, Diagnosis.key)
    ).all()


def procedures(session: Session, visit_ids: Collection[UUID]) -> Sequence[MedicalProcedure]:
    return session.scalars(
        select(MedicalProcedure)
        .where(MedicalProcedure.visit_id.in_(visit_ids))
        .order_by(MedicalProcedure.visit_id, MedicalProcedure.key)
    ).all()


def e_bills(session: Session, bill_ids: Collection[UUID]) -> Sequence[EBill]:
    return session.scalars(select(EBill).where(EBill.bill_id.in_(bill_ids)).order_by(EBill.bill_id, EBill.key)).all()


def held_elsewhere(session: Session, bill_ids: Collection[UUID]) -> set[UUID]:
    """Bills with an e-bill that another hospital named before, and still does: only one of them can have issued it."""
    first = aliased(EBill)
    same = and_(*(getattr(first, name) == getattr(EBill, name) for name in ("code", "number", "check_code")))
    before = and_(first.hospital_id != EBill.hospital_id, first.state == "issued", first.id < EBill.id)
    found = select(EBill.bill_id).join(first, and_(same, before)).where(EBill.bill_id.in_(bill_ids))
    return set(session.scalars(found))


def reports_of_patients(session: Session, numbers: Numbers, paging: PageQuery) -> Sequence[Report]:
    """As `bills_of_patients`."""
    wanted = select(Report).join(Visit, Visit.id == Report.visit_id)
    wanted = wanted.where(tuple_(Visit.hospital_id, Visit.patient_no).in_(numbers))
    return session.scalars(_turn(wanted, Report, Report.at, paging)).all()


def _turn(wanted: Select[*tuple[Any, ...]], model: Any, moment: Any, paging: PageQuery | None) -> Any:
    """Newest first by the hospital's own time, which is not the order of arrival; after the cursor's row if there is
    one."""
    wanted = wanted.order_by(moment.desc(), model.id.desc())
    if paging is None:
        return wanted
    if paging.cursor is not None:
        after = select(moment, model.id).where(model.id == paging.cursor)
        wanted = wanted.where(tuple_(moment, model.id) < after.scalar_subquery())
    return wanted.limit(paging.limit + 1)


def refused_count(session: Session) -> int:
    return session.scalar(select(func.count()).where(Bill.refused_reason.is_not(None))) or 0
