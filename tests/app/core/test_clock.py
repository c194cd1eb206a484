from __future__ import annotations

from datetime import UTC, date, datetime

from app.core.clock import Clock, shanghai_date


def test_the_business_date_is_shanghais() -> None:
    assert shanghai_date(datetime(2026, 11, 20, 15, 59, tzinfo=UTC)) == date(2026, 11, 20)
    assert shanghai_date(datetime(2026, 11, 20, 16, 0, tzinfo=UTC)) == date(2026, 11, 21)


def test_a_date_can_be_held_while_time_goes_on() -> None:
    held = Clock(date(2020, 2, 29))
    assert held.today() == date(2020, 2, 29)
    assert (datetime.now(UTC) - held.now()).total_seconds() < 60
    assert Clock().today() == shanghai_date(Clock().now())
