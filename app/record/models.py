"""Rows of hospitals' systems. Each is known by the hospital's own key and replaced by a higher version of itself."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Numeric,
    UniqueConstraint,
    func,
    or_,
)
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.core.db import Base, Checked, Fen, Row, Sealed


class Pushed(Row):
    """A row that a hospital pushed. `key` is the hospital's; an older `version` never replaces a newer one."""

    hospital_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"))
    key: Mapped[str]
    version: Mapped[int] = mapped_column(BigInteger)
    received_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:  # noqa: N805 - SQLAlchemy passes the class
        return (UniqueConstraint("hospital_id", "key"), *getattr(cls, "more_constraints", ()))


class Visit(Pushed, Base):
    __tablename__ = "visit"
    more_constraints = (Index("ix_visit_patient", "hospital_id", "patient_no"),)

    patient_no: Mapped[str]
    kind: Mapped[str]
    campus: Mapped[str | None]
    department_name: Mapped[str]
    doctor_name: Mapped[str | None]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    booked_in_wechat: Mapped[bool]
    appointment_no: Mapped[str | None]


class Coded:
    """A code always travels with its system and edition."""

    code: Mapped[str]
    code_system: Mapped[str]
    code_edition: Mapped[str]
    name: Mapped[str]


class Diagnosis(Pushed, Coded, Base):
    __tablename__ = "diagnosis"

    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visit.id"), index=True)
    main: Mapped[bool]
    stage: Mapped[str]


class MedicalProcedure(Pushed, Coded, Base):
    __tablename__ = "medical_procedure"

    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visit.id"), index=True)
    at: Mapped[datetime]


class Report(Pushed, Base):
    """An examination or laboratory report (检查检验报告)."""

    __tablename__ = "report"

    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visit.id"), index=True)
    kind: Mapped[str]
    title: Mapped[str]
    summary_sealed: Mapped[Sealed]
    at: Mapped[datetime]


class Document(Pushed, Base):
    """A medical record or a discharge note (病历, 出院小结). `sha256` is over the text."""

    __tablename__ = "document"

    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visit.id"), index=True)
    kind: Mapped[str]
    title: Mapped[str]
    text_sealed: Mapped[Sealed]
    sha256: Mapped[str]


class Bill(Pushed, Checked, Base):
    """A settlement sheet (结算单). `state` is the hospital's word; `refused_reason` is ours, None for a bill that
    balances. `lines_fen` is the sum of its fee lines that have arrived."""

    __tablename__ = "bill"
    check_over = ("hospital_id", "key", "patient_no", "total_fen", "fund_fen", "account_fen", "self_pay_fen", "state")
    more_constraints = (
        Index("ix_bill_patient", "hospital_id", "patient_no"),
        CheckConstraint("total_fen >= 0 AND fund_fen >= 0 AND account_fen >= 0 AND self_pay_fen >= 0", name="amounts"),
    )

    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visit.id"), index=True)
    patient_no: Mapped[str]
    bill_no: Mapped[str]
    total_fen: Mapped[Fen]
    fund_fen: Mapped[Fen]
    account_fen: Mapped[Fen]
    self_pay_fen: Mapped[Fen]
    state: Mapped[str]
    billed_on: Mapped[date]
    settled_at: Mapped[datetime | None]
    lines_fen: Mapped[Fen] = mapped_column(default=0, server_default="0")
    refused_reason: Mapped[str | None]


class FeeLine(Pushed, Coded, Checked, Base):
    """One line of a bill; a negative quantity is a return. Unit price in yuan, exact. One of nothing is what is left of
    a line that the hospital has deleted: no part of the bill any more, and its number may be another's."""

    __tablename__ = "fee_line"
    check_over = ("hospital_id", "bill_id", "line_no", "amount_fen")
    # As the lines of a bill are read. By the bill alone many entries were the same, which is slower to store.
    more_constraints = (Index("ix_fee_line_bill", "bill_id", "line_no"),)

    # The bill's hospital, under the check field: a foreign key of its own would cost as much as storing the line.
    hospital_id: Mapped[UUID] = mapped_column()
    bill_id: Mapped[UUID] = mapped_column(ForeignKey("bill.id"))
    line_no: Mapped[int]
    category: Mapped[str]
    insurance_code: Mapped[str | None]
    unit_price: Mapped[Decimal] = mapped_column(Numeric(18, 6))
    quantity: Mapped[Decimal] = mapped_column(Numeric(18, 4))
    amount_fen: Mapped[Fen]
    insurance_class: Mapped[str | None]
    at: Mapped[datetime]


IS_PART = or_(FeeLine.quantity != 0, FeeLine.amount_fen != 0)
"""Of a line that the hospital has not deleted."""


class EBill(Pushed, Checked, Base):
    """An electronic medical bill (医疗收费电子票据): code, number and check code together are its identity. `sha256` is
    over its file, None where the hospital does not have the file. Two hospitals may name the same one, and one of them
    is wrong: neither's row keeps the other's out, and which of them can be claimed is seen in `held_elsewhere`."""

    __tablename__ = "e_bill"
    check_over = ("bill_id", "code", "number", "check_code", "state")
    more_constraints = (UniqueConstraint("code", "number", "hospital_id"),)

    bill_id: Mapped[UUID] = mapped_column(ForeignKey("bill.id"), index=True)
    code: Mapped[str]
    number: Mapped[str]
    check_code: Mapped[str]
    issued_on: Mapped[date]
    state: Mapped[str]
    sha256: Mapped[str | None]
