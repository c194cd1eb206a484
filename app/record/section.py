"""The rows of one type in a batch: each judged, and what is newer stored."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Text, cast, column, func, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import JSONB

from app.core.columns import add_rows
from app.core.ids import new_id
from app.core.work import Work
from app.exchange.service import UnreadRow, Verdict
from app.record import models as m
from app.record import rows
from app.record.fee_lines import Bulk, read_lines
from app.record.plans import planned_once
from app.record.rows import ROW_TYPES, RowType
from app.record.stored import Known, known

WAITING = "waiting_parent"


@dataclass
class Applied:
    """What batches did: a verdict for each row in their order, and what they touched."""

    verdicts: list[Verdict]
    bill_ids: set[UUID] = field(default_factory=set)
    visit_ids: set[UUID] = field(default_factory=set)
    reversed_bill_ids: set[UUID] = field(default_factory=set)
    appointment_nos: set[str] = field(default_factory=set)


class Section:
    """`pushed` are the rows by their place among all that are applied together."""

    def __init__(self, work: Work, hospital_id: UUID, type_name: str, pushed: Mapping[int, UnreadRow]) -> None:
        self._work, self._hospital_id, self._type_name, self._pushed = work, hospital_id, type_name, pushed
        self._type: RowType = ROW_TYPES[type_name]
        self._known = known(work.session, hospital_id, type_name, {row.key for row in pushed.values()})
        self._keep: dict[str, dict[str, Any]] = {}
        self._place: dict[str, int] = {}

    def apply(self, applied: Applied) -> None:
        left = self._pushed
        if self._type_name == "fee_line":
            done = self._apply_in_bulk(applied)
            left = {place: row for place, row in left.items() if place not in done} if len(done) < len(left) else {}
        if left:
            self._apply_singly(applied, left)

    def _apply_in_bulk(self, applied: Applied) -> Collection[int]:
        """The places of new fee lines that could be stored together."""
        new = self._pushed
        if self._known or len({row.key for row in new.values()}) < len(new):
            times = Counter(row.key for row in new.values())
            new = {place: row for place, row in new.items() if row.key not in self._known and times[row.key] == 1}
        lines = read_lines(new)
        bills = self._parents({line.bill_key for line in lines.values()})
        done = Bulk(self._work, self._hospital_id, bills, lines).store(new)
        for place in done:
            applied.verdicts[place] = Verdict("fee_line", new[place].key, "applied")
        applied.bill_ids.update([bills[key] for key in {lines[place].bill_key for place in done}])
        return set(done)

    def _apply_singly(self, applied: Applied, pushed: Mapping[int, UnreadRow]) -> None:
        moved_from = {key: one.parent_id for key, one in self._known.items()}
        data = {place: json.loads(bytes(row.data)) for place, row in pushed.items()}
        parents = self._parents(one.get(self._type.parent) for one in data.values())
        for place, row in pushed.items():
            verdict, reason = self._judge(row, data[place], parents)
            applied.verdicts[place] = Verdict(self._type_name, row.key, verdict, reason)
            self._place[row.key] = place
        if self._type_name == "e_bill":
            self._refuse_taken(applied)
        if self._keep:
            self._store(moved_from)
            self._touch(applied, moved_from)

    def _judge(self, row: UnreadRow, pushed: Any, parents: Mapping[str, UUID]) -> tuple[str, str | None]:
        """(verdict, reason); what is to be stored is kept."""
        stored = self._known.get(row.key)
        if stored is not None and row.version <= stored.version:
            return ("unchanged" if row.version == stored.version else "stale"), None
        data, refused = rows.read(self._type, pushed)
        if data is None:
            return "refused", refused
        if self._type.parent is not None:
            parent_id = parents.get(data.pop(self._type.parent))
            if parent_id is None:
                return WAITING, None
            data[f"{self._type.parent_type}_id"] = parent_id
        row_id = stored.id if stored is not None else new_id()
        values = {"id": row_id, "hospital_id": self._hospital_id, "key": row.key, "version": row.version, **data}
        self._keep[row.key] = rows.columns(self._work.privacy, self._type_name, values)
        self._known[row.key] = Known(row_id, row.version)
        return "applied", None

    def _refuse_taken(self, applied: Applied) -> None:
        """Among a hospital's e-bills, code and number belong to one."""
        owners: dict[tuple[str, str], UUID] = {}
        pair, of = tuple_(m.EBill.code, m.EBill.number), m.EBill.hospital_id
        wanted = [(row["code"], row["number"]) for row in self._keep.values()]
        theirs = select(m.EBill.code, m.EBill.number, m.EBill.id).where(pair.in_(wanted), of == self._hospital_id)
        found = self._work.session.execute(theirs)
        owners.update({(code, number): row_id for code, number, row_id in found})
        for key, row in list(self._keep.items()):
            if owners.setdefault((row["code"], row["number"]), row["id"]) != row["id"]:
                del self._keep[key]
                applied.verdicts[self._place[key]] = Verdict(self._type_name, key, "refused", "e_bill_taken")

    def _parents(self, keys: Iterable[Any]) -> dict[str, UUID]:
        """By key; what is no text is nobody's key."""
        if self._type.parent_type is None:
            return {}
        wanted = {key for key in keys if isinstance(key, str)}
        found = known(self._work.session, self._hospital_id, self._type.parent_type, wanted)
        return {key: one.id for key, one in found.items()}

    def _store(self, stored: Collection[str]) -> None:
        new = [row for key, row in self._keep.items() if key not in stored]
        with planned_once(self._work):
            add_rows(self._work.session, self._type.model.__table__, new)
        if changed := [row for key, row in self._keep.items() if key in stored]:
            self._replace(changed)

    def _replace(self, changed: Sequence[Mapping[str, Any]]) -> None:
        """All rows in one statement: one text of JSON travels, and PostgreSQL makes rows of it."""
        names, table = list(changed[0]), self._type.model.__table__
        fields = [column(name, table.c[name].type) for name in names]
        text = literal(json.dumps(changed, default=str, ensure_ascii=False), Text)
        pushed = func.jsonb_to_recordset(cast(text, JSONB)).table_valued(*fields).render_derived(with_types=True)
        values = {name: pushed.c[name] for name in names if name not in ("id", "hospital_id", "key")}
        newer = update(table).where(table.c.id == pushed.c.id).values(values)
        self._work.session.execute(newer)

    def _touch(self, applied: Applied, moved_from: Mapping[str, UUID | None]) -> None:
        for key, row in self._keep.items():
            if self._type_name == "bill":
                applied.bill_ids.add(row["id"])
            elif self._type_name in ("fee_line", "e_bill"):
                applied.bill_ids |= {row["bill_id"], moved_from.get(key) or row["bill_id"]}
            if self._type_name == "e_bill" and row["state"] == "reversed":
                applied.reversed_bill_ids.add(row["bill_id"])
            if self._type_name == "visit":
                applied.visit_ids |= {row["id"]} if key in moved_from else set()
                applied.appointment_nos |= {row["appointment_no"]} if row["appointment_no"] else set()
