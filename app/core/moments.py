"""Dates and moments as partners and callers may send them, written as ISO 8601: a bare number would be read as seconds
of an epoch. Whatever lies outside our times is a mistake, and the edges of the calendar cannot be stored or computed
with."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator, Field
from pydantic_core import PydanticCustomError

EARLIEST, LATEST = date(1900, 1, 1), date(2199, 12, 31)
_AS_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_AS_TIME = re.compile(_AS_DATE.pattern + ".+", re.ASCII)


def _written(kind: type[date], pattern: re.Pattern[str], wrong: PydanticCustomError) -> BeforeValidator:
    def check(value: object) -> object:
        if type(value) is kind or (isinstance(value, str) and pattern.fullmatch(value)):
            return value
        raise wrong

    return BeforeValidator(check)


_DATE = _written(date, _AS_DATE, PydanticCustomError("date_text", "not written as a date"))
_TIME = _written(
    datetime,
    re.compile(_AS_DATE.pattern + ".+", re.ASCII),
    PydanticCustomError("datetime_text", "not written as a time"),
)
PlainDate = Annotated[date, Field(ge=EARLIEST, le=LATEST), _DATE]
Moment = Annotated[
    AwareDatetime, Field(ge=datetime(1900, 1, 1, tzinfo=UTC), le=datetime(2199, 12, 31, tzinfo=UTC)), _TIME
]
