"""How long it takes: from the pace of the last who were finished, however many answers came together."""

from __future__ import annotations

from typing import Any

from app.registration.rules import TRIES_IN_PLACE
from tests.app.registration.kit import Line


def test_answers_that_came_together_still_give_a_time(line: Line, m: Any) -> None:
    m(4)
    patients = line.enter(10)
    line.poll()
    line.house.rows("UPDATE registration SET asked_at = asked_at - interval '20 seconds' WHERE status = 'registering'")
    line.answer()
    times = [line.shown(patient)["expected_s"] for patient in patients[4:]]
    assert 20 // 4 <= times[0] <= 8 and times == sorted(times)
    assert 6 * 5 <= times[-1] <= 6 * 8


def test_two_batches_give_the_pace_between_them(line: Line, m: Any) -> None:
    m(4)
    patients = line.enter(12)
    for _ in range(2):
        line.poll()
        line.answer()
        line.house.rows("UPDATE registration SET left_at = left_at - interval '12 seconds'"
                        " WHERE status = 'registered'")  # fmt: skip
    line.house.rows("UPDATE registration SET left_at = now() WHERE person_id = ANY(:ids) AND line_no > 0",
                    ids=[patient.person_id for patient in patients[4:8]])  # fmt: skip
    line.house.rows("UPDATE registration SET left_at = now() - interval '12 seconds' WHERE person_id = ANY(:ids)",
                    ids=[patient.person_id for patient in patients[:4]])  # fmt: skip
    assert 12 <= line.shown(patients[-1])["expected_s"] <= 14


def test_nobody_who_waits_is_promised_nothing(line: Line, m: Any) -> None:
    m(2)
    patients = line.enter(5)
    line.poll()
    line.answer()
    assert all(line.shown(patient)["expected_s"] >= 1 for patient in patients[2:])


def test_while_nothing_moves_the_time_grows(line: Line, m: Any) -> None:
    m(2)
    patients = line.enter(5)
    line.poll()
    line.answer()
    line.poll()
    before = line.shown(patients[-1])["expected_s"]
    line.house.rows("UPDATE registration SET left_at = left_at - interval '10 minutes',"
                    " asked_at = asked_at - interval '10 minutes'")  # fmt: skip
    assert line.shown(patients[-1])["expected_s"] > max(before, 60)


def test_who_rests_is_promised_nothing_before_the_rest_is_over(line: Line, m: Any) -> None:
    m(2)
    patients = line.enter(3)
    line.poll()
    line.answer()
    assert line.shown(patients[2])["expected_s"] < 250
    line.house.rows("UPDATE registration SET tries = :k, failures = :k, not_before = now() + interval '5 minutes'"
                    " WHERE person_id = :id", k=TRIES_IN_PLACE, id=patients[2].person_id)  # fmt: skip
    shown = line.shown(patients[2])
    assert shown["stepped_aside"] and shown["place"] == 1 and 295 <= shown["expected_s"] <= 310
    line.rest_is_over()
    assert line.shown(patients[2])["expected_s"] < 250
