"""Does a bill balance? A bill that does not is kept, refused with its reason, and counted."""

from __future__ import annotations

from functools import cache
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Select,
    Table,
    Text,
    Uuid,
    any_,
    bindparam,
    column,
    func,
    select,
    true,
    update,
)

from app.core.work import Work
from app.record import models as m
from app.record import rules

_JUDGED = (
    func.unnest(
        bindparam("ids", type_=ARRAY(Uuid)),
        bindparam("sums", type_=ARRAY(BigInteger)),
        bindparam("reasons", type_=ARRAY(Text)),
    )
    .table_valued(column("id", Uuid), column("lines_fen", BigInteger), column("why", Text))
    .render_derived()
)
_SET = (
    update(cast(Table, m.Bill.__table__))
    .where(m.Bill.id == _JUDGED.c.id)
    .values(lines_fen=_JUDGED.c.lines_fen, refused_reason=_JUDGED.c.why)
)


def examine(work: Work, bill_ids: set[UUID], visit_ids: set[UUID]) -> None:
    """Set `lines_fen` and `refused_reason` of these bills, and of the bills of these visits, from all that has come."""
    if not bill_ids and not visit_ids:
        return
    wanted = set(bill_ids)
    if visit_ids:
        wanted.update(work.session.scalars(select(m.Bill.id).where(m.Bill.visit_id.in_(visit_ids))))
    found = work.session.execute(_sums(), {"bills": list(wanted)})
    judged = [(row.id, int(row.lines_fen), _refusal(row)) for row in found]
    if judged:
        ids, lines_fen, reasons = zip(*judged, strict=True)
        work.session.execute(_SET, {"ids": list(ids), "sums": list(lines_fen), "reasons": list(reasons)})


def _refusal(row: Any) -> str | None:
    return rules.refusal(
        rules.BillSums(
            settled=row.state != "unsettled",
            total_fen=row.total_fen,
            parts_fen=row.parts_fen,
            lines_fen=int(row.lines_fen),
            lines_right=row.lines_right,
            lines_distinct=row.lines_distinct,
            same_patient=row.same_patient,
        )
    )


@cache
def _sums() -> Select[*tuple[Any, ...]]:
    """One row for each bill of `bills`, over all of its lines that have arrived."""
    line, bill = m.FeeLine, m.Bill
    wrong = func.abs(func.round(line.unit_price * line.quantity * 100) - line.amount_fen) > rules.LINE_TOLERANCE_FEN
    numbers = func.count(line.line_no).filter(m.IS_PART), func.count(line.line_no.distinct()).filter(m.IS_PART)
    sums = (
        select(
            func.coalesce(func.sum(line.amount_fen), 0).label("lines_fen"),
            func.coalesce(func.bool_and(~wrong), true()).label("lines_right"),
            (numbers[0] == numbers[1]).label("lines_distinct"),
        )
        .where(line.bill_id == bill.id)
        .lateral()
    )
    return (
        select(
            bill.id,
            bill.state,
            bill.total_fen,
            (bill.fund_fen + bill.account_fen + bill.self_pay_fen).label("parts_fen"),
            *sums.c,
            (m.Visit.patient_no == bill.patient_no).label("same_patient"),
        )
        .join(m.Visit, m.Visit.id == bill.visit_id)
        .join(sums, true())
        .where(bill.id == any_(bindparam("bills", type_=ARRAY(Uuid))))
    )
