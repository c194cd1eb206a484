"""Dates and moments as partners and callers may send them: whatever lies outside our times is a mistake, and the edges
of the calendar cannot be stored or computed with."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AwareDatetime, Field

EARLIEST, LATEST = date(1900, 1, 1), date(2199, 12, 31)
PlainDate = Annotated[date, Field(ge=EARLIEST, le=LATEST)]
Moment = Annotated[AwareDatetime, Field(ge=datetime(1900, 1, 1, tzinfo=UTC), le=datetime(2199, 12, 31, tzinfo=UTC))]
