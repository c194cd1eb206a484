"""Applying what a hospital pushed: each row once, newer versions only, parents before children."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Select,
    Text,
    any_,
    bindparam,
    cast,
    column,
    func,
    literal,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from app.core.columns import add_rows
from app.core.ids import new_id
from app.core.work import Work
from app.exchange.service import OpenBatch, Verdict
from app.record import balance, rows
from app.record import models as m
from app.record.rows import ROW_TYPES, RowType

WAITING = "waiting_parent"


@dataclass(frozen=True)
class _Known:
    """What is stored already under a key: its id, its version, and the row it hangs on."""

    id: UUID
    version: int
    parent_id: UUID | None = None


@dataclass
class Applied:
    """What a batch did: a verdict for each row in the order of the batch, and what it touched."""

    verdicts: list[Verdict]
    bill_ids: set[UUID] = field(default_factory=set)
    visit_ids: set[UUID] = field(default_factory=set)
    reversed_bill_ids: set[UUID] = field(default_factory=set)
    appointment_nos: set[str] = field(default_factory=set)

    @property
    def waiting(self) -> bool:
        return any(v.verdict == WAITING for v in self.verdicts)


def apply(work: Work, batch: OpenBatch, before: Sequence[Verdict] = ()) -> Applied:
    """Store the rows of a record batch; applying it twice changes nothing.

    1. One batch of a hospital at a time, so that two workers cannot apply two versions of a row in turn.
    2. Type by type, parents first: read the contract, find the parent, leave out what is not newer, store the rest.
    3. Look at every bill that was touched: does it balance now?

    `before` are the verdicts of an earlier round: only rows that waited for their parent are judged again.
    """
    work.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"record:{batch.party_id}", 0))))
    applied = Applied([Verdict(row["type"], row["key"], "refused", "unknown_type") for row in batch.rows])
    again = len(before) == len(batch.rows)
    if again:
        applied.verdicts = list(before)
    for type_name in ROW_TYPES:
        places = [
            place
            for place, row in enumerate(batch.rows)
            if row["type"] == type_name and not (again and before[place].verdict != WAITING)
        ]
        if places:
            _Section(work, batch, type_name, applied).apply(places)
    balance.examine(work, applied.bill_ids, applied.visit_ids)
    _tell(work, batch, applied)
    return applied


class _Section:
    """The rows of one type in a batch."""

    def __init__(self, work: Work, batch: OpenBatch, type_name: str, applied: Applied) -> None:
        self._work, self._batch, self._type_name, self._applied = work, batch, type_name, applied
        self._type: RowType = ROW_TYPES[type_name]
        self._keep: dict[str, dict[str, Any]] = {}
        self._place: dict[str, int] = {}

    def apply(self, places: Sequence[int]) -> None:
        pushed = [self._batch.rows[place] for place in places]
        known = self._known({row["key"] for row in pushed})
        parents = self._parents(row["data"].get(self._type.parent) for row in pushed)
        moved_from = {key: one.parent_id for key, one in known.items()}
        for place, row in zip(places, pushed, strict=True):
            verdict, reason = self._judge(row, known, parents)
            self._applied.verdicts[place] = Verdict(self._type_name, row["key"], verdict, reason)
            self._place[row["key"]] = place
        if self._type_name == "e_bill":
            self._refuse_taken()
        if self._keep:
            self._store(moved_from)
            self._touch(moved_from)

    def _judge(
        self, row: Mapping[str, Any], known: dict[str, _Known], parents: Mapping[str, UUID]
    ) -> tuple[str, str | None]:
        """(verdict, reason); what is to be stored is kept."""
        key, version = row["key"], row["version"]
        stored = known.get(key)
        if stored is not None and version <= stored.version:
            return ("unchanged" if version == stored.version else "stale"), None
        data, refused = rows.read(self._type, row["data"])
        if data is None:
            return "refused", refused
        if self._type.parent is not None:
            parent_id = parents.get(data.pop(self._type.parent))
            if parent_id is None:
                return WAITING, None
            data[f"{self._type.parent_type}_id"] = parent_id
        row_id = stored.id if stored is not None else new_id()
        values = {"id": row_id, "hospital_id": self._batch.party_id, "key": key, "version": version, **data}
        self._keep[key] = rows.columns(self._work.privacy, self._type_name, values)
        known[key] = _Known(row_id, version)
        return "applied", None

    def _refuse_taken(self) -> None:
        """An e-bill's code and number belong to one bill of one hospital, whoever else pushes them."""
        owners: dict[tuple[str, str], UUID] = {}
        pair = tuple_(m.EBill.code, m.EBill.number)
        wanted = [(row["code"], row["number"]) for row in self._keep.values()]
        found = self._work.session.execute(select(m.EBill.code, m.EBill.number, m.EBill.id).where(pair.in_(wanted)))
        owners.update({(code, number): row_id for code, number, row_id in found})
        for key, row in list(self._keep.items()):
            if owners.setdefault((row["code"], row["number"]), row["id"]) != row["id"]:
                del self._keep[key]
                self._applied.verdicts[self._place[key]] = Verdict(self._type_name, key, "refused", "e_bill_taken")

    def _known(self, keys: Iterable[str]) -> dict[str, _Known]:
        wanted = {"hospital": self._batch.party_id, "keys": list(keys)}
        found = self._work.session.execute(_stored(self._type_name), wanted)
        return {key: _Known(*rest) for key, *rest in found}

    def _parents(self, keys: Iterable[Any]) -> dict[str, UUID]:
        if self._type.parent_type is None:
            return {}
        wanted = {"hospital": self._batch.party_id, "keys": list({key for key in keys if isinstance(key, str)})}
        return {row.key: row.id for row in self._work.session.execute(_stored(self._type.parent_type), wanted)}

    def _store(self, stored: Container[str]) -> None:
        new = [row for key, row in self._keep.items() if key not in stored]
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

    def _touch(self, moved_from: Mapping[str, UUID | None]) -> None:
        for key, row in self._keep.items():
            if self._type_name == "bill":
                self._applied.bill_ids.add(row["id"])
            elif self._type_name in ("fee_line", "e_bill"):
                self._applied.bill_ids |= {row["bill_id"], moved_from.get(key) or row["bill_id"]}
            if self._type_name == "e_bill" and row["state"] == "reversed":
                self._applied.reversed_bill_ids.add(row["bill_id"])
            if self._type_name == "visit":
                self._applied.visit_ids |= {row["id"]} if key in moved_from else set()
                self._applied.appointment_nos |= {row["appointment_no"]} if row["appointment_no"] else set()


@cache
def _stored(type_name: str) -> Select[*tuple[Any, ...]]:
    """key, id, version and, where there is one, parent of a hospital's rows with these keys."""
    row_type = ROW_TYPES[type_name]
    table = row_type.model.__table__
    parent = [table.c[f"{row_type.parent_type}_id"]] if row_type.parent_type else []
    mine = table.c.hospital_id == bindparam("hospital"), table.c.key == any_(bindparam("keys", type_=ARRAY(Text)))
    return select(table.c.key, table.c.id, table.c.version, *parent).where(*mine)


def _tell(work: Work, batch: OpenBatch, applied: Applied) -> None:
    if applied.bill_ids:
        work.emit("record.bills_changed", batch.id, bill_ids=[str(i) for i in sorted(applied.bill_ids)])
    if applied.reversed_bill_ids:
        work.emit("record.e_bills_reversed", batch.id, bill_ids=[str(i) for i in sorted(applied.reversed_bill_ids)])
    if applied.appointment_nos:
        numbers = sorted(applied.appointment_nos)
        work.emit("record.visits_arrived", batch.id, hospital_id=str(batch.party_id), appointment_nos=numbers)
