"""What the clock starts: yesterday's run, once, and again the days before that are not finished with."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.app.kit import run, value
from tests.app.reconciliation.kit import DAY, NEXT_DAY, UP_TO_THE_REPORT, Night, number
from workers.schedule import DAILY

KIND = "reconciliation.night"


def _fire(night: Night, on: Any = NEXT_DAY) -> list[str]:
    """The business dates of the runs that one firing starts."""
    with night.runtime.work() as work:
        work.later(KIND, None, args={"day": on.isoformat()})
    night.drain_all(KIND)
    found = run(night.runtime, "SELECT business_date FROM reconciliation_run WHERE status = 'collecting'")
    night.serve()
    night.drain_all(*UP_TO_THE_REPORT)
    return sorted(str(row.business_date) for row in found)


def test_it_is_scheduled_in_the_night() -> None:
    assert [daily.at.hour for daily in DAILY if daily.kind == KIND] == [1]


def test_yesterday_is_run(night: Night) -> None:
    night.book(range(1, 3))
    assert _fire(night) == [str(DAY)]
    assert value(night.runtime, "SELECT status FROM reconciliation_run") == "balanced"
    assert value(night.runtime, "SELECT started_by FROM reconciliation_run") == "schedule"


def test_a_day_with_a_row_that_may_still_come_is_run_again(night: Night) -> None:
    night.book(range(1, 3))
    night.drop_insurer("I1", number(1))
    night.run()
    assert _fire(night, NEXT_DAY + timedelta(1)) == [str(DAY), str(NEXT_DAY)]


def test_a_day_in_whose_book_a_row_was_entered_late_is_run_again(night: Night) -> None:
    night.book(range(1, 3))
    night.run()
    assert _fire(night, NEXT_DAY + timedelta(1)) == [str(NEXT_DAY)]
    night.book(range(3, 4))
    assert _fire(night, NEXT_DAY + timedelta(1)) == [str(DAY), str(NEXT_DAY)]
    assert value(night.runtime, "SELECT count(*) FROM reconciliation_run WHERE business_date = :day", day=DAY) == 2


def test_nights_that_were_missed_are_made_up_for_once(night: Night) -> None:
    """Nobody was at work for three nights."""
    assert _fire(night, NEXT_DAY - timedelta(4)) == [str(DAY - timedelta(4))]
    missed = [str(DAY - timedelta(back)) for back in (3, 2, 1)]
    assert _fire(night) == [*missed, str(DAY)]
    assert _fire(night) == [str(DAY)], "fired again it runs yesterday, and nothing is missed any more"


def test_funds_are_compared_when_the_bills_are_to_be_had(night: Night) -> None:
    assert [(daily.at.hour, daily.at.minute) for daily in DAILY if daily.kind == "reconciliation.funds_night"] == [
        (10, 30)
    ]
