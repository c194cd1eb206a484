"""Applying what a hospital pushed: each row once, newer versions only, parents before children."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import case, func, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from app.core.db import Checked
from app.core.errors import NotFound
from app.core.ids import new_id
from app.core.work import Work
from app.exchange.service import OpenBatch, Verdict
from app.record import contracts as c
from app.record import models as m
from app.record import rules

SEALED = {"report": "summary", "document": "text"}


@dataclass(frozen=True)
class RowType:
    """How one type of row is stored: its table, its contract, and the field that names its parent."""

    model: Any
    contract: type[c.RowIn]
    parent: str | None = None

    @property
    def parent_type(self) -> str | None:
        return self.parent.removesuffix("_key") if self.parent else None


# In the order in which parents come before children.
ROW_TYPES: Mapping[str, RowType] = {
    "visit": RowType(m.Visit, c.VisitIn),
    "diagnosis": RowType(m.Diagnosis, c.DiagnosisIn, "visit_key"),
    "procedure": RowType(m.MedicalProcedure, c.ProcedureIn, "visit_key"),
    "report": RowType(m.Report, c.ReportIn, "visit_key"),
    "document": RowType(m.Document, c.DocumentIn, "visit_key"),
    "bill": RowType(m.Bill, c.BillIn, "visit_key"),
    "fee_line": RowType(m.FeeLine, c.FeeLineIn, "bill_key"),
    "e_bill": RowType(m.EBill, c.EBillIn, "bill_key"),
}


@dataclass
class Applied:
    """What a batch did: a verdict for each row, and the bills that it touched."""

    verdicts: list[Verdict] = field(default_factory=list)
    bill_ids: set[UUID] = field(default_factory=set)
    reversed_bill_ids: set[UUID] = field(default_factory=set)
    appointment_nos: set[str] = field(default_factory=set)

    @property
    def waiting(self) -> bool:
        return any(v.verdict == "waiting_parent" for v in self.verdicts)


def apply(work: Work, batch: OpenBatch) -> Applied:
    """Store the rows of a record batch; applying it twice changes nothing.

    1. One batch of a hospital at a time, so that two workers cannot apply two versions of a row in turn.
    2. Type by type, parents first: read the contract, find the parent, leave out what is not newer, upsert the rest.
    3. Look at every bill that was touched: does it balance now?
    """
    work.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"record:{batch.party_id}", 0))))
    applied = Applied()
    for type_name, row_type in ROW_TYPES.items():
        rows = [row for row in batch.rows if row["type"] == type_name]
        if rows:
            _apply_type(work, batch.party_id, type_name, row_type, rows, applied)
    unknown = [row for row in batch.rows if row["type"] not in ROW_TYPES]
    applied.verdicts += [Verdict(row["type"], row["key"], "refused", "unknown_type") for row in unknown]
    _examine_bills(work, applied.bill_ids)
    _tell(work, batch.id, applied)
    return applied


def _apply_type(
    work: Work, hospital_id: UUID, type_name: str, row_type: RowType, rows: Sequence[Any], applied: Applied
) -> None:
    parents = _ids(work, hospital_id, row_type.parent_type, (row["data"].get(row_type.parent) for row in rows))
    known = _versions(work, hospital_id, row_type.model, [row["key"] for row in rows])
    keep: dict[str, dict[str, Any]] = {}
    for row in rows:
        verdict, reason, values = _judge(work, hospital_id, type_name, row, parents, known)
        applied.verdicts.append(Verdict(type_name, row["key"], verdict, reason))
        if values is not None:
            keep[row["key"]] = values
            known[row["key"]] = (values["id"], values["version"])
    if type_name == "e_bill":
        _refuse_taken(work, keep, applied)
    if keep:
        _upsert(work, row_type.model, list(keep.values()))
        _touch(type_name, keep.values(), applied)


def _judge(
    work: Work,
    hospital_id: UUID,
    type_name: str,
    row: Mapping[str, Any],
    parents: Mapping[str, UUID],
    known: Mapping[str, tuple[UUID, int]],
) -> tuple[str, str | None, dict[str, Any] | None]:
    """(verdict, reason, column values to store or None)."""
    row_type = ROW_TYPES[type_name]
    row_id, version = known.get(row["key"], (new_id(), 0))
    if row["version"] <= version:
        return ("unchanged" if row["version"] == version else "stale"), None, None
    try:
        data = row_type.contract.model_validate(row["data"]).model_dump()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        return "refused", f"{'.'.join(map(str, first['loc']))[:80]}: {first['type']}", None
    if row_type.parent is not None:
        parent_id = parents.get(data.pop(row_type.parent))
        if parent_id is None:
            return "waiting_parent", None, None
        data[f"{row_type.parent_type}_id"] = parent_id
    values = {"id": row_id, "hospital_id": hospital_id, "key": row["key"], "version": row["version"], **data}
    return "applied", None, _finish_values(work, type_name, row_type.model, values)


def _finish_values(work: Work, type_name: str, model: Any, values: dict[str, Any]) -> dict[str, Any]:
    """Encrypt what is sensitive, and compute the check field over what is not."""
    if "status" in values:
        values["state"] = values.pop("status")
    column = SEALED.get(type_name)
    if column is not None:
        text = values.pop(column)
        if column == "text":
            values["sha256"] = sha256(text.encode()).hexdigest()
        where = f"{model.__tablename__}:{column}_sealed:{values['id']}"
        values[f"{column}_sealed"] = work.privacy.seal(text, where)
    if issubclass(model, Checked):
        values["check_field"] = work.privacy.check(
            model.__tablename__, {name: values[name] for name in model.check_over}
        )
    return values


def _refuse_taken(work: Work, keep: dict[str, dict[str, Any]], applied: Applied) -> None:
    """An e-bill's code and number belong to one bill of one hospital, whoever else pushes them."""
    numbers = {(row["code"], row["number"]): key for key, row in keep.items()}
    pair = tuple_(m.EBill.code, m.EBill.number)
    found = work.session.execute(select(m.EBill.code, m.EBill.number, m.EBill.id).where(pair.in_(numbers)))
    for code, number, row_id in found:
        key = numbers[(code, number)]
        if keep[key]["id"] != row_id:
            del keep[key]
            applied.verdicts = [
                Verdict(v.type, v.key, "refused", "e_bill_taken") if (v.type, v.key) == ("e_bill", key) else v
                for v in applied.verdicts
            ]


def _ids(work: Work, hospital_id: UUID, type_name: str | None, keys: Iterable[Any]) -> dict[str, UUID]:
    if type_name is None:
        return {}
    model = ROW_TYPES[type_name].model
    wanted = {key for key in keys if isinstance(key, str)}
    found = work.session.execute(
        select(model.key, model.id).where(model.hospital_id == hospital_id, model.key.in_(wanted))
    )
    return {row.key: row.id for row in found}


def _versions(work: Work, hospital_id: UUID, model: Any, keys: Sequence[str]) -> dict[str, tuple[UUID, int]]:
    found = work.session.execute(
        select(model.key, model.id, model.version).where(model.hospital_id == hospital_id, model.key.in_(keys))
    )
    return {key: (row_id, version) for key, row_id, version in found}


def _upsert(work: Work, model: Any, rows: list[dict[str, Any]]) -> None:
    statement = insert(model)
    changed = {name: statement.excluded[name] for name in rows[0] if name not in ("id", "hospital_id", "key")}
    work.session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=changed), rows)


def _touch(type_name: str, rows: Iterable[Mapping[str, Any]], applied: Applied) -> None:
    for row in rows:
        if type_name == "bill":
            applied.bill_ids.add(row["id"])
        elif type_name in ("fee_line", "e_bill"):
            applied.bill_ids.add(row["bill_id"])
        if type_name == "e_bill" and row["state"] == "reversed":
            applied.reversed_bill_ids.add(row["bill_id"])
        if type_name == "visit" and row["appointment_no"]:
            applied.appointment_nos.add(row["appointment_no"])


def _examine_bills(work: Work, bill_ids: set[UUID]) -> None:
    """Set `lines_fen` and `refused_reason` of the touched bills from all that has arrived."""
    if not bill_ids:
        return
    line, bill = m.FeeLine, m.Bill
    exact = func.round(line.unit_price * line.quantity * 100)
    wrong = func.abs(exact - line.amount_fen) > rules.LINE_TOLERANCE_FEN
    sums = (
        select(
            line.bill_id,
            func.sum(line.amount_fen).label("lines_fen"),
            func.coalesce(func.bool_and(~wrong), literal(True)).label("lines_right"),
        )
        .where(line.bill_id.in_(bill_ids))
        .group_by(line.bill_id)
        .subquery()
    )
    found = work.session.execute(
        select(bill.id, bill.state, bill.total_fen, bill.fund_fen + bill.account_fen + bill.self_pay_fen,
               func.coalesce(sums.c.lines_fen, 0), func.coalesce(sums.c.lines_right, literal(True)))
        .outerjoin(sums, sums.c.bill_id == bill.id)
        .where(bill.id.in_(bill_ids))
    )  # fmt: skip
    judged = {
        bill_id: (
            int(lines_fen),
            rules.refusal(
                settled=state != "unsettled",
                total_fen=total,
                parts_fen=parts,
                lines_fen=int(lines_fen),
                lines_right=lines_right,
            ),
        )
        for bill_id, state, total, parts, lines_fen, lines_right in found
    }
    work.session.execute(
        update(bill)
        .where(bill.id.in_(judged))
        .values(
            lines_fen=case({i: lines for i, (lines, _) in judged.items()}, value=bill.id),
            refused_reason=_case_or_null({i: reason for i, (_, reason) in judged.items()}, bill.id),
        )
        .execution_options(synchronize_session=False)
    )


def _case_or_null(values: Mapping[UUID, str | None], column: Any) -> Any:
    given = {key: value for key, value in values.items() if value is not None}
    return case(given, value=column, else_=None) if given else None


def read_report(work: Work, report_id: UUID, why: str) -> tuple[m.Report, str]:
    """A report with its decrypted summary; the reading is audited."""
    report = work.session.get(m.Report, report_id)
    if report is None:
        raise NotFound
    return report, work.reveal(report, "summary_sealed", why)


def read_documents(work: Work, visit_ids: Iterable[UUID], why: str) -> list[tuple[m.Document, str]]:
    """The documents of these visits with their decrypted text; each reading is audited."""
    found = work.session.scalars(
        select(m.Document).where(m.Document.visit_id.in_(list(visit_ids))).order_by(m.Document.visit_id, m.Document.key)
    )
    return [(document, work.reveal(document, "text_sealed", why)) for document in found]


def verify_checks(work: Work, bill_ids: Iterable[UUID]) -> None:
    """Tampered, naming the row, if a bill, a fee line or an e-bill was changed behind the program's back."""
    wanted = list(bill_ids)
    rows: list[Any] = list(work.session.scalars(select(m.Bill).where(m.Bill.id.in_(wanted))))
    rows += work.session.scalars(select(m.FeeLine).where(m.FeeLine.bill_id.in_(wanted)))
    rows += work.session.scalars(select(m.EBill).where(m.EBill.bill_id.in_(wanted)))
    for row in rows:
        row.require_check(work.privacy)


def _tell(work: Work, batch_id: UUID, applied: Applied) -> None:
    if applied.bill_ids:
        work.emit("record.bills_changed", batch_id, bill_ids=[str(i) for i in sorted(applied.bill_ids)])
    if applied.reversed_bill_ids:
        work.emit("record.e_bills_reversed", batch_id, bill_ids=[str(i) for i in sorted(applied.reversed_bill_ids)])
    if applied.appointment_nos:
        work.emit("record.visits_arrived", batch_id, appointment_nos=sorted(applied.appointment_nos))
