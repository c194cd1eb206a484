"""Departments, doctors and slots that a hospital pushed; an older version never replaces a newer one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from app.appointment import contracts as c
from app.appointment import endings, moving
from app.appointment.models import Department, Doctor, Slot
from app.appointment.waiting import closing
from app.core.ids import new_id
from app.core.work import Work
from app.exchange.service import OpenBatch, Verdict


@dataclass(frozen=True)
class _Kind:
    """How one type of row is stored, and which column names it within its hospital."""

    model: Any
    contract: type[c.RowIn]
    known_by: str


_KINDS: Mapping[str, _Kind] = {
    "department": _Kind(Department, c.DepartmentIn, "code"),
    "doctor": _Kind(Doctor, c.DoctorIn, "code"),
    "slot": _Kind(Slot, c.SlotIn, "key"),
}


def apply_catalogue(work: Work, batch: OpenBatch) -> list[Verdict]:
    """A verdict for each row. A slot that is stopped ends its appointments, one that moves tells who is booked, and new
    places go to who waits for them."""
    lock = func.hashtextextended(f"catalogue:{batch.party_id}", 0)
    work.session.execute(select(func.pg_advisory_xact_lock(lock)))
    known = {name: _versions(work, batch, name) for name in _KINDS}
    keep: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in _KINDS}
    verdicts = []
    for row in batch.rows:
        verdict, reason, values = _judge(batch.party_id, row, known)
        verdicts.append(Verdict(row["type"], row["key"], verdict, reason))
        if values is not None:
            name = values[_KINDS[row["type"]].known_by]
            keep[row["type"]][name] = values
            known[row["type"]][name] = row["version"]
    before = moving.times(work, batch.party_id, keep["slot"])
    for type_name, rows in keep.items():
        if rows:
            _upsert(work, _KINDS[type_name], [rows[name] for name in sorted(rows)])  # locked as joining locks them
    endings.stop_clinic(work, batch.party_id, [key for key, row in keep["slot"].items() if row["stopped"]])
    moving.tell(work, batch.party_id, before)
    closing.filled(work, batch.party_id, [key for key, row in keep["slot"].items() if not row["stopped"]])
    return verdicts


def _judge(
    hospital_id: UUID, row: Mapping[str, Any], known: Mapping[str, Mapping[str, int]]
) -> tuple[str, str | None, dict[str, Any] | None]:
    """(verdict, reason, column values to store or None)."""
    kind = _KINDS.get(row["type"])
    if kind is None:
        return "refused", "unknown_type", None
    try:
        data = kind.contract.model_validate(row["data"]).model_dump()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        return "refused", f"{'.'.join(map(str, first['loc']))[:80]}: {first['type']}", None
    if kind.model is Slot:
        data |= {"key": row["key"], "stopped": data.pop("status") == "stopped", "allotment": data["capacity"]}
    version = known[row["type"]].get(data[kind.known_by])
    if version is not None and row["version"] <= version:
        return ("unchanged" if row["version"] == version else "stale"), None, None
    return "applied", None, {"id": new_id(), "hospital_id": hospital_id, "version": row["version"], **data}


def _versions(work: Work, batch: OpenBatch, type_name: str) -> dict[str, int]:
    kind = _KINDS[type_name]
    name = getattr(kind.model, kind.known_by)
    names = {row["key"] if kind.model is Slot else row["data"].get("code") for row in batch.rows}
    wanted = (kind.model.hospital_id == batch.party_id, name.in_({n for n in names if isinstance(n, str)}))
    return dict(work.session.execute(select(name, kind.model.version).where(*wanted)).all())


def _upsert(work: Work, kind: _Kind, rows: list[dict[str, Any]]) -> None:
    new = insert(kind.model)
    fixed = {"id", "hospital_id", kind.known_by}
    changed: dict[str, Any] = {name: new.excluded[name] for name in rows[0] if name not in fixed}
    if kind.model is Slot:  # places that are sold stay sold when the hospital takes some back
        changed["capacity"] = func.greatest(new.excluded.capacity, Slot.taken)
    stored = new.on_conflict_do_update(index_elements=["hospital_id", kind.known_by], set_=changed)
    work.session.execute(stored, rows)
