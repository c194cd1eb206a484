"""Day-cut: a row that is late by a day or two is matched and clears itself; one that stays away becomes an error."""

from __future__ import annotations

from datetime import timedelta

from app.core.clock import Clock
from tests.app.reconciliation.kit import DAY, NEXT_DAY, Night, number

LATE = number(1)


def _late_at_hospital(night: Night, amount_fen: int = 100) -> None:
    """The row stands in the hospital's book of the next day."""
    night.book(range(1, 4))
    row = night.hospitals["H1"][DAY].pop(LATE)
    night.hospitals["H1"][NEXT_DAY] = {LATE: row | {"amount_fen": amount_fen}}


def test_a_row_in_the_next_day_s_book_is_matched_and_clears_itself(night: Night) -> None:
    _late_at_hospital(night)
    assert night.run(DAY)["sets"]["011"] == 1
    missing = night.differences()["presence", LATE]
    assert (missing.status, missing.suspended_until) == ("suspended", DAY + timedelta(2))
    assert night.run(NEXT_DAY)["status"] == "balanced"
    here, there = night.differences()["presence", LATE], night.differences(NEXT_DAY)["presence", LATE]
    assert (here.id, here.status, here.matched_on, here.note) == (
        missing.id,
        "cleared",
        NEXT_DAY,
        f"与 {NEXT_DAY} 的记录匹配",
    )
    assert (there.status, there.matched_on, there.found_set) == ("cleared", DAY, "100")


def test_it_is_matched_whichever_date_is_run_first_and_stays_so_in_reruns(night: Night) -> None:
    _late_at_hospital(night)
    night.run(NEXT_DAY)
    night.run(DAY)
    first = night.differences()["presence", LATE]
    assert night.run(DAY)["status"] == "balanced"
    again = night.differences()["presence", LATE]
    assert (again.status, again.status_since) == ("cleared", first.status_since), "not opened and closed again"


def test_a_late_row_of_another_amount_is_no_match(night: Night) -> None:
    _late_at_hospital(night, amount_fen=101)
    night.run(DAY)
    assert night.run(NEXT_DAY)["status"] == "differences"
    assert night.differences()["presence", LATE].status == "suspended"


def test_a_match_that_goes_away_opens_the_difference_again(night: Night) -> None:
    _late_at_hospital(night)
    night.run(DAY)
    night.run(NEXT_DAY)
    night.hospitals["H1"][NEXT_DAY] = {}
    night.run(NEXT_DAY)
    assert night.run(DAY)["status"] == "differences"
    row = night.differences()["presence", LATE]
    assert (row.status, row.matched_on, row.note) == ("open", None, "相邻日期不再有对应的行")


def test_a_row_that_stays_away_becomes_an_error(night: Night) -> None:
    _late_at_hospital(night)
    night.hospitals["H1"][NEXT_DAY] = {}
    night.run(DAY)
    night.runtime.clock = Clock(DAY + timedelta(3))
    night.run(DAY + timedelta(3))
    row = night.differences()["presence", LATE]
    assert (row.status, row.note) == ("open", "超过跨日等待期限仍未出现")


def test_a_row_missing_on_an_old_date_is_an_error_at_once(night: Night) -> None:
    old = DAY - timedelta(10)
    night.book(range(1, 3), day=old)
    night.drop_insurer("I1", number(1, old))
    night.run(old)
    assert night.differences(old)["presence", number(1, old)].status == "open"
