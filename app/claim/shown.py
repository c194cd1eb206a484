"""A claim's bills as the insurer was shown them, beside the same bills as they are now: the hospital may amend a bill
after its package was sealed, and the decision speaks of what was shown."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.record import queries as record


@dataclass(frozen=True)
class Line:
    """A fee line. `code` is the hospital's for the item."""

    line_no: int
    code: str
    name: str
    amount_fen: int


@dataclass(frozen=True)
class Bill:
    """What a decision is made of: what the patient bore, and the lines in the order of their numbers."""

    borne_fen: int
    lines: tuple[Line, ...]

    @property
    def sha256(self) -> str:
        """Over all amounts and items; bills that differ in one differ here."""
        said = [self.borne_fen, *((line.line_no, line.code, line.amount_fen) for line in self.lines)]
        return sha256(repr(said).encode()).hexdigest()


@dataclass(frozen=True)
class Compared:
    """What was shown, and what the bill is now: None if that is the same, or not settled and balanced (again) yet."""

    shown: Bill
    now: Bill | None


@dataclass(frozen=True)
class Current:
    """A bill as it is now; `holds` if it is settled and balances."""

    bill: Bill
    holds: bool


def of_part(part: Mapping[str, Any]) -> Bill:
    """One of a package's `bills`."""
    names = Line.__dataclass_fields__
    return Bill(part["borne_fen"], tuple(Line(**{name: line[name] for name in names}) for line in part["lines"]))


def as_they_are(session: Session, bill_ids: Collection[UUID]) -> dict[UUID, Current]:
    lines: dict[UUID, list[Line]] = {bill_id: [] for bill_id in bill_ids}
    for line in record.lines(session, bill_ids):
        lines[line.bill_id].append(Line(line.line_no, line.code, line.name, line.amount_fen))
    return {
        bill.id: Current(
            Bill(bill.borne_fen, tuple(lines[bill.id])), bill.state == "settled" and bill.refused_reason is None
        )
        for bill in record.bills(session, bill_ids)
    }
