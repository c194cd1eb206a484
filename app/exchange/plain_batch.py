"""A batch as agents write it: canonical, its rows flat and without fractions. Such a batch is read in one pass of C.

Whatever is not so is left to the contract, which reads everything that is allowed and says what is wrong with the rest.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta
from pydantic import ValidationError
from typing_extensions import TypedDict

from app.exchange.contracts import MAX_ROWS, BatchIn
from app.exchange.rules import ROW_TYPES

_TYPES = frozenset[str]().union(*ROW_TYPES.values())


class _PlainRow(TypedDict):
    """What is both allowed by contracts.RowIn and written in only one way."""

    data: dict[str, bool | Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | str | None]
    key: Annotated[str, Meta(min_length=1, max_length=120)]
    type: str
    version: Annotated[int, Meta(ge=0, le=2**62)]


# Made once: each knows its types.
_parts = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_rows = msgspec.json.Decoder(Annotated[list[_PlainRow], Meta(max_length=MAX_ROWS)]).decode
_canonical = msgspec.json.Encoder(order="deterministic").encode


def plain_batch(body: bytes) -> BatchIn | None:
    """The batch, if its rows are their own canonical text (see rules.canonical); None if the contract has to read it.

    Nothing is taken here that the contract would refuse or read otherwise.
    """
    try:
        parts = _parts(body)
        text = bytes(parts.pop("rows", b""))
        rows: Any = _rows(text)
    except (msgspec.MsgspecError, RecursionError):
        return None
    if not _are_named(rows) or _canonical(rows) != text:
        return None
    try:
        given = BatchIn.model_validate_json(_canonical({**parts, "rows": []}))
    except ValidationError:
        return None
    given.rows = rows
    return given.with_content(text)


def _are_named(rows: list[_PlainRow]) -> bool:
    """No letter that is printed is a control character; the few other letters of keys are for the contract."""
    return {row["type"] for row in rows} <= _TYPES and "".join([row["key"] for row in rows]).isprintable()
