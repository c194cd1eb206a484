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

# Rows of a bill know their bill, and come with it; all others know their visit.
OF_BILL = ("fee_line", "e_bill")


@dataclass(frozen=True)
class VisitReader:
    """Reads in the lane of a waiting patient, by indexed keys, and answers with at most `max_rows` rows."""

    mapping: SourceMapping
    lane: PatientLane
    max_rows: int

    def handlers(self) -> dict[str, Handler]:
        return {"read_visit": self.read_visit}

    def read_visit(self, call: Call) -> Mapping[str, Any]:
        """The rows of `visit_keys` whose type is among `types`. Refused if a visit is not this patient's; raises
        Temporary."""
        keys, types, patient_no = call["visit_keys"], call["types"], call["patient_no"]
        visits = self._rows("visit", keys)
        if any(row.data.get("patient_no") != patient_no for row in visits):
            raise Refused("visit_not_of_patient")
        if not visits:
            raise Refused("visit_unknown")
        rows = self._below(visits, types)
        found = [{"type": row.type, "key": row.key, "data": row.data} for row in rows[: self.max_rows]]
        return {"rows": found, "complete": len(rows) < self.max_rows}

    def _below(self, visits: Sequence[Row], types: Collection[str]) -> list[Row]:
        """The wanted rows, parents before children, until there are enough."""
        keys = [row.key for row in visits]
        rows = [*visits] if "visit" in types else []
        bills: list[str] = []
        for name in RECORD:
            if name == "visit" or name not in types or len(rows) >= self.max_rows:
                continue
            found = (
                self._rows(name, bills, by="bill_key") if name in OF_BILL else self._rows(name, keys, by="visit_key")
            )
            bills += [row.key for row in found if name == "bill"]
            rows += found
        return rows

    def _rows(self, name: str, keys: Sequence[str], *, by: str = "") -> list[Row]:
        """Rows of an entity by their own key, or `by` that of their parent; none where the source has no such thing."""
        entity = self.mapping.entities.get(name)
        if entity is None or not keys:
            return []
        columns = entity.fields[by].columns if by else entity.key
        return self.lane.find(entity, columns, keys).rows if columns else []
