"""The types of row a hospital pushes, and what is stored of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from pydantic import ValidationError

from app.core.db import Checked
from app.core.privacy import Privacy
from app.record import contracts as c
from app.record import models as m

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


def read(row_type: RowType, data: Any) -> tuple[dict[str, Any] | None, str | None]:
    """(the row's fields, None) or (None, why it is refused: field and kind of error, never its value)."""
    try:
        return dict(vars(row_type.contract.model_validate(data))), None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        return None, f"{'.'.join(map(str, first['loc']))[:80]}: {first['type']}"


def columns(privacy: Privacy, type_name: str, values: dict[str, Any]) -> dict[str, Any]:
    """What is stored: what is sensitive encrypted, and a check field over what carries money."""
    model = ROW_TYPES[type_name].model
    if "status" in values:
        values["state"] = values.pop("status")
    column = SEALED.get(type_name)
    if column is not None:
        text = values.pop(column)
        if column == "text":
            values["sha256"] = sha256(text.encode()).hexdigest()
        values[f"{column}_sealed"] = privacy.seal(text, f"{model.__tablename__}:{column}_sealed:{values['id']}")
    if issubclass(model, Checked):
        covered = {name: values[name] for name in model.check_over}
        values["check_field"] = privacy.check(model.__tablename__, covered)
    return values
