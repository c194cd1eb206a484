"""New fee lines in bulk. They are nine tenths of what a hospital sends, so they are read by types in C, and checked and
stored column by column.

What is taken here is taken by `section` as well, and stored as there. What is not is left to it, with its reasons.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Annotated, Any, Literal, cast
from uuid import UUID

import msgspec
from msgspec import Meta
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Table

from app.core.columns import add_parts
from app.core.ids import new_ids
from app.core.moments import Moment
from app.core.pieces import pieces
from app.core.work import Work
from app.exchange.service import UnreadRow
from app.record.contracts import Price, Quantity
from app.record.models import FeeLine
from app.record.plans import planned_once

PART = 500
Key = Annotated[str, Meta(min_length=1, max_length=120)]
Text = Annotated[str, Meta(min_length=1, max_length=500)]


class _Line(msgspec.Struct, gc=False):
    """As contracts.FeeLineIn; what is a text in JSON and no text to us is still one."""

    bill_key: Key
    line_no: Annotated[int, Meta(ge=1, le=100_000)]
    category: Literal["drug", "treatment", "service", "material"]
    code: Key
    code_system: Key
    code_edition: Key
    name: Text
    unit_price: str
    quantity: str
    amount_fen: Annotated[int, Meta(ge=-(10**13), le=10**13)]
    at: str
    insurance_code: Key | None = None
    insurance_class: Literal["甲", "乙", "丙"] | None = None


_line = msgspec.json.Decoder(_Line).decode
_SAME = ("line_no", "category", "code", "code_system", "code_edition", "name", "amount_fen", "insurance_code",
         "insurance_class")  # fmt: skip
_same = attrgetter(*_SAME)
_LOOKED_UP = [attrgetter(name) for name in ("bill_key", "unit_price", "quantity", "at")]
_PRICES, _QUANTITIES, _MOMENTS = (
    TypeAdapter(kind, config={"allow_inf_nan": False}).validate_python for kind in (Price, Quantity, Moment)
)


class Bulk:
    """New lines of one hospital's bills (by key), not stored yet; rows and lines go by their place in the batch."""

    def __init__(self, work: Work, hospital_id: UUID, bills: Mapping[str, UUID], lines: Mapping[int, _Line]) -> None:
        self._work, self._hospital_id, self._lines = work, hospital_id, lines
        self._bills = {key: str(bill_id) for key, bill_id in bills.items()}
        named, prices, quantities, moments = (set(map(read, lines.values())) for read in _LOOKED_UP)
        self._prices, self._quantities = _texts(_PRICES, prices), _texts(_QUANTITIES, quantities)
        self._moments = _texts(_MOMENTS, moments)
        missing = named - set(bills) or len(self._prices) < len(prices) or len(self._quantities) < len(quantities)
        self._all_right = not missing and len(self._moments) == len(moments)

    def store(self, rows: Mapping[int, UnreadRow]) -> list[int]:
        """Store the lines that are right and whose bill is among these; their places."""
        right = [place for place, line in self._lines.items() if self._all_right or self._is_right(line)]
        columns = (
            self._columns([rows[place] for place in part], [self._lines[place] for place in part])
            for part in pieces(right, PART)
        )
        with planned_once(self._work):
            add_parts(self._work.session, cast(Table, FeeLine.__table__), columns)
        return right

    def _is_right(self, line: _Line) -> bool:
        return (
            line.bill_key in self._bills
            and line.unit_price in self._prices
            and line.quantity in self._quantities
            and line.at in self._moments
        )

    def _columns(self, rows: Sequence[UnreadRow], lines: Sequence[_Line]) -> dict[str, Sequence[Any]]:
        columns: dict[str, Sequence[Any]] = dict(zip(_SAME, zip(*map(_same, lines), strict=True), strict=True))
        columns |= {
            "id": new_ids(len(rows)),
            "hospital_id": [str(self._hospital_id)] * len(rows),
            "key": [row.key for row in rows],
            "version": [row.version for row in rows],
            "bill_id": [self._bills[line.bill_key] for line in lines],
            "unit_price": [self._prices[line.unit_price] for line in lines],
            "quantity": [self._quantities[line.quantity] for line in lines],
            "at": [self._moments[line.at] for line in lines],
        }
        covered = {name: columns[name] for name in FeeLine.check_over}
        return columns | {"check_field": self._work.privacy.checks(FeeLine.__tablename__, covered)}


def read_lines(rows: Mapping[int, UnreadRow]) -> dict[int, _Line]:
    """Those that are right as far as their types and lengths go."""
    found = {}
    for place, row in rows.items():
        try:
            found[place] = _line(row.data)
        except msgspec.MsgspecError:
            continue
    return found


def _texts(read: Callable[[str], Any], values: set[str]) -> dict[str, str]:
    """What PostgreSQL shall read for each of these values that is right: the same stand in many lines."""
    found = {}
    for value in values:
        try:
            found[value] = str(read(value))
        except ValidationError:
            continue
    return found
