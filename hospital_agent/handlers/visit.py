"""`read_visit`: what an insurer asks of a patient's visits, read from the source and answered to the exchange alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hospital_agent.batch import Row
from hospital_agent.commands import Call, Handler
from hospital_agent.errors import Refused
from hospital_agent.mapping.model import RECORD, SourceMapping
from hospital_agent.source.pull import PatientLane
from hospital_agent.source.records import Reading, Records, read_rows

# Rows of a bill know their bill, and come with it; all others know their visit.
OF_BILL = ("fee_line", "e_bill")


@dataclass(frozen=True)
class VisitReader:
    """Reads in the lane of a waiting patient, by indexed keys: one snapshot and one budget of rows for an answer."""

    mapping: SourceMapping
    lane: PatientLane

    def handlers(self) -> dict[str, Handler]:
        return {"read_visit": self.read_visit}

    def read_visit(self, call: Call) -> Mapping[str, Any]:
        """The rows of `visit_keys` whose type is among `types`; `complete` is false where the source may have more.
        Refused if a visit is not this patient's; raises Temporary."""
        keys, types, patient_no = call["visit_keys"], call["types"], call["patient_no"]
        with self.lane.reading() as (records, budget):
            visits = self._rows(records, "visit", keys)
            if any(row.data.get("patient_no") != patient_no for row in visits):
                raise Refused("visit_not_of_patient")
            if not visits:
                raise Refused("visit_unknown")
            rows = [*visits] if "visit" in types else []
            rows += self._below(records, [row.key for row in visits], types)
        found = [{"type": row.type, "key": row.key, "data": row.data} for row in rows]
        return {"rows": found, "complete": not budget.cut}

    def _below(self, records: Records, visit_keys: Sequence[str], types: Collection[str]) -> list[Row]:
        """The wanted rows of these visits, parents before children, until the budget is used up."""
        rows: list[Row] = []
        bills: list[str] = []
        for name in RECORD:
            if name == "visit" or name not in types:
                continue
            of_bill = name in OF_BILL
            found = self._rows(
                records, name, bills if of_bill else visit_keys, by="bill_key" if of_bill else "visit_key"
            )
            bills += [row.key for row in found if name == "bill"]
            rows += found
        return rows

    def _rows(self, records: Records, name: str, keys: Sequence[str], *, by: str = "") -> list[Row]:
        """Rows of an entity by their own key, or `by` that of their parent; none where the source has no such thing."""
        entity = self.mapping.entities.get(name)
        columns = () if entity is None else entity.fields[by].columns if by else entity.key
        if entity is None or not keys or not columns:
            return []
        found = Reading()
        read_rows(self.mapping, entity, records.where(entity, columns, keys), found)
        return found.rows
