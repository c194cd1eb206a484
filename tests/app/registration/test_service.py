"""The registration line: strict order, m at a time, kept places, one effect, whoever drains it and whenever it dies."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from app.core import tasks
from app.core.errors import Conflict, LostRace, NotFound
from app.core.ids import partner_number
from app.core.paging import PageQuery
from app.core.tasks import Lease
from app.registration import queries, service
from app.registration.models import Registration
from app.registration.rules import TRIES_IN_PLACE, retry_pause
from app.registration.states import State, registrations
from tests.app.kit import Thread
from tests.app.patients import refusal
from tests.app.registration.kit import DONE, Line
from workers.__main__ import require_sound
from workers.context import Context
from workers.drain import drain_with

FAILED = {"outcome": "failed", "code": "his_busy"}


def documents(patients: list[Any]) -> list[str]:
    return [patient.document_no for patient in patients]


def test_a_booked_appointment_ends_in_a_patient_number(line: Line) -> None:
    (patient,) = line.enter(1)
    assert line.shown(patient)["status"] == "queued"
    line.poll()
    assert line.shown(patient)["status"] == "registering"
    assert line.answer() == [patient.document_no]
    shown = line.shown(patient)
    assert (shown["status"], shown["place"], shown["refused"]) == ("registered", None, None)
    number = "SELECT patient_no FROM patient_number WHERE person_id = :id"
    assert line.house.value(number, id=patient.person_id)
    notice = "SELECT template FROM notice WHERE subject = :id"
    assert line.house.value(notice, id=line.row(patient).id) == "registered"


def test_a_person_enters_a_hospitals_line_once(line: Line) -> None:
    (patient,) = line.enter(1)
    again = line.booked(patient)
    done = [Thread(lambda: _enter(line, again)) for _ in range(4)]
    [thread.result() for thread in done]
    count = "SELECT count(*) FROM registration WHERE person_id = :id"
    assert line.house.value(count, id=patient.person_id) == 1
    _enter(line, line.booked(patient, "H2"))
    assert line.house.value(count, id=patient.person_id) == 2


def _enter(line: Line, appointment_id: Any) -> None:
    with line.house.runtime.work() as work:
        service.enter(work, [appointment_id])


def test_at_most_m_are_in_the_hospitals_hands(line: Line, m: Any) -> None:
    m(3)
    patients = line.enter(8)
    line.poll()
    assert line.statuses(patients) == ["registering"] * 3 + ["queued"] * 5
    line.poll()
    seen = line.answer()
    line.poll()
    seen += line.answer()
    line.poll()
    seen += line.answer()
    assert seen == documents(patients)
    assert line.statuses(patients) == ["registered"] * 8


def test_places_and_times_are_shown(line: Line, m: Any) -> None:
    m(2)
    patients = line.enter(5)
    assert [line.shown(patient)["place"] for patient in patients] == [1, 2, 3, 4, 5]
    assert line.shown(patients[4])["expected_s"] is None
    for _ in range(1):
        line.poll()
        line.answer()
    line.house.rows(
        "UPDATE registration SET left_at = now() - interval '30 seconds' WHERE person_id = :id",
        id=patients[0].person_id,
    )
    assert [line.shown(patient)["place"] for patient in patients] == [None, None, 1, 2, 3]
    assert 80 <= line.shown(patients[4])["expected_s"] <= 100
    stranger = line.house.known()
    assert refusal(stranger.get(f"/registrations?person_id={patients[0].person_id}"), 404)


def test_a_temporary_failure_keeps_its_place_and_stops_those_behind(line: Line, m: Any) -> None:
    m(2)
    patients = line.enter(5)
    line.poll()
    seen = line.answer(
        lambda c: dict(FAILED) if c["body"]["document_no"] == patients[0].document_no else {"outcome": "done"}
    )
    line.poll()
    assert line.statuses(patients) == ["queued", "registered", "queued", "queued", "queued"], "nobody passes"
    assert line.shown(patients[0])["place"] == 1
    line.rest_is_over()
    for _ in range(3):
        line.poll()
        seen += line.answer()
    assert seen == documents([patients[0], patients[1], patients[0], *patients[2:]])
    numbers = {line.row(patient).no for patient in patients}
    assert len(numbers) == 5 and line.row(patients[0]).tries == 1


def test_after_k_failures_an_entry_steps_aside_visibly(line: Line, m: Any) -> None:
    m(1)
    patients = line.enter(3)
    for _ in range(TRIES_IN_PLACE):
        line.poll()
        assert line.answer(lambda _: dict(FAILED)) == [patients[0].document_no]
        shown = line.shown(patients[0])
        line.house.rows("UPDATE registration SET not_before = now() WHERE tries < :k", k=TRIES_IN_PLACE)
        line.house.rows("UPDATE task SET run_at = now() WHERE kind = 'registration.poll'")
    assert shown["stepped_aside"] and shown["place"] == 1
    line.poll()
    assert line.answer() == [patients[1].document_no], "others pass while it rests"
    line.rest_is_over()
    line.poll()
    assert line.answer() == [patients[0].document_no], "and it is the oldest again"
    line.poll()
    assert line.answer() == [patients[2].document_no]


@pytest.mark.parametrize("how", [{"outcome": "unknown"}, dict(FAILED), {"outcome": "done", "body": {}}])
def test_whatever_is_not_final_is_asked_again_under_the_same_number(line: Line, how: dict[str, Any]) -> None:
    (patient,) = line.enter(1)
    numbers = set()
    for _ in range(2):
        line.poll()
        asked = line.house.answer("registration", lambda command: dict(how))
        numbers |= {command["body"]["registration_no"] for command in asked}
        line.house.drain_all("registration.answered")
        assert line.statuses([patient]) == ["queued"]
        line.rest_is_over()
    line.poll()
    line.answer()
    assert line.statuses([patient]) == ["registered"] and numbers == {line.row(patient).no}


def test_a_silent_hospital_is_asked_again(line: Line) -> None:
    (patient,) = line.enter(1)
    line.poll()
    line.house.rows("UPDATE command SET deadline = now() - interval '1 hour' WHERE status = 'open'")
    with line.house.runtime.work() as work:
        work.later("exchange.overdue", None)
    line.house.drain_all("exchange.overdue", "registration.answered")
    assert line.statuses([patient]) == ["queued"]
    line.rest_is_over()
    line.poll()
    line.answer()
    assert line.statuses([patient]) == ["registered"]


@pytest.mark.parametrize("code", ["document_invalid", "blacklisted", "something_new"])
def test_a_refusal_is_final_and_told(line: Line, code: str) -> None:
    (patient,) = line.enter(1)
    line.poll()
    line.answer(lambda _: {"outcome": "refused", "code": code})
    shown = line.shown(patient)
    assert (shown["status"], shown["place"]) == ("failed", None) and shown["refused"]
    _enter(line, line.booked(patient))
    assert line.row(patient).status == "queued", "a new appointment may try again, at the end of the line"


def test_an_answer_of_an_earlier_try_counts(line: Line) -> None:
    """The hospital registered at the first try, and its answer comes while the second is under way."""
    (patient,) = line.enter(1)
    line.poll()
    row = line.row(patient)
    with line.house.runtime.work() as work:
        registrations.move(work, [row.id], "retry", values={"tries": 1})
    line.answer()
    assert line.statuses([patient]) == ["registered"]


def test_an_older_question_without_an_end_does_not_disturb_the_newer(line: Line) -> None:
    (patient,) = line.enter(1)
    line.poll()
    line.house.rows("UPDATE registration SET command_id = gen_random_uuid() WHERE id = :id", id=line.row(patient).id)
    line.answer(lambda _: dict(FAILED))
    assert (line.statuses([patient]), line.row(patient).tries) == (["registering"], 0)


def test_two_hospitals_have_two_lines(line: Line, m: Any) -> None:
    m(1)
    first, second = line.enter(1, "H1"), line.enter(1, "H2")
    line.poll()
    assert line.statuses([*first, *second]) == ["registering"] * 2
    assert (line.answer(code="H1"), line.answer(code="H2")) == (documents(first), documents(second))


def test_several_drainers_and_kills_keep_the_order(line: Line, here: Context, m: Any) -> None:
    """Four workers; some die after taking the poll, before or after its effect: nothing is out of order, nothing is
    asked twice."""
    m(4)
    patients = line.enter(24)
    seen: list[str] = []
    # A lease belongs to one worker: two threads that open the same one may wait for each other.
    workers = [replace(here, lease=Lease(here.runtime.settings.database_url)) for _ in range(4)]
    for turn in range(40):
        _die_holding_a_poll(line, turn)
        done = [Thread(partial(drain_with, worker, "registration.poll")) for worker in workers]
        [thread.result() for thread in done]
        seen += line.answer()
        if len(seen) == len(patients):
            break
    for worker in workers:
        worker.lease.drop()
    assert seen == documents(patients)
    assert line.statuses(patients) == ["registered"] * 24


def _die_holding_a_poll(line: Line, turn: int) -> None:
    """A worker takes due polls and is gone: its lease ends with its connection."""
    lease = Lease(line.house.runtime.settings.database_url)
    with line.house.runtime.work() as work:
        tasks.take(work.session, "registration.poll", lease.hold(), 1 + turn % 3)
    lease.drop()


def test_a_poll_by_a_slow_clock_is_not_lost(line: Line) -> None:
    """The worker's clock is behind: the poll that comes too early for it leaves another one behind."""
    (patient,) = line.enter(1)
    line.poll()
    line.answer(lambda _: dict(FAILED))
    line.house.rows("UPDATE registration SET not_before = now() + interval '30 seconds' WHERE tries = 1")
    line.house.rows("UPDATE task SET run_at = now() WHERE kind = 'registration.poll'")
    line.poll()
    left = "SELECT count(*) FROM task WHERE kind = 'registration.poll' AND status = 'due' AND run_at > now()"
    assert line.house.value(left) == 1
    assert line.statuses([patient]) == ["queued"]


def test_m_must_be_above_n(line: Line, here: Context, m: Any) -> None:
    require_sound(here)  # m = 200, n = 10
    m(10)
    with pytest.raises(
        SystemExit, match="REGISTRATION_BATCH is 10 for H1; it must be above the 10 trials a window of M1"
    ):
        require_sound(here)
    m(11)
    require_sound(here)


def test_no_personal_data_stands_in_the_open(line: Line) -> None:
    (patient,) = line.enter(1)
    line.poll()
    rows = line.house.rows(
        "SELECT r::text FROM registration r UNION ALL SELECT t::text FROM task t"
        " UNION ALL SELECT c::text FROM command c"
    )
    assert not [row for row in rows if patient.document_no in row[0] or patient.phone in row[0]]
    why = "SELECT count(*) FROM audit_entry WHERE action = 'read.person' AND subject_id = :id"
    assert line.house.value(why, id=patient.person_id) >= 1


def test_an_operator_sees_who_stepped_aside_and_puts_them_back(line: Line, m: Any) -> None:
    m(1)
    first, second = line.enter(2)
    line.house.rows("UPDATE registration SET tries = :k - 1 WHERE person_id = :id", k=TRIES_IN_PLACE,
                    id=first.person_id)  # fmt: skip
    line.poll()
    line.answer(lambda _: dict(FAILED))
    row = line.row(first)
    with line.house.runtime.read() as session:
        (aside,), _ = queries.aside(session, None, PageQuery())
        assert (aside.id, aside.tries, aside.last_code) == (row.id, TRIES_IN_PLACE, "his_busy")
        assert not queries.aside(session, line.house.hospital_id("H2"), PageQuery())[0]
    with pytest.raises(NotFound), line.house.runtime.work() as work:
        service.put_back(work, row.id, line.house.hospital_id("H2"))
    with pytest.raises(Conflict, match="not_aside"), line.house.runtime.work() as work:
        service.put_back(work, line.row(second).id, None)
    with line.house.runtime.work() as work:
        service.put_back(work, row.id, line.house.hospital_id())
    line.house.rows("UPDATE registration SET status = 'queued' WHERE person_id = :id", id=second.person_id)
    line.house.rows("UPDATE command SET status = 'withdrawn' WHERE status = 'open'")
    line.poll()
    assert line.answer() == [first.document_no], "it has its old place"


def test_an_entry_whose_person_cannot_be_read_does_not_stop_the_others_for_ever(line: Line) -> None:
    first, second, third = line.enter(3)
    line.house.rows("UPDATE person SET document_no_sealed = 'v1.x' WHERE id = :id", id=second.person_id)
    line.poll()
    assert line.answer() == [first.document_no], "nobody passes while it keeps its place"
    for _ in range(TRIES_IN_PLACE - 1):
        assert line.statuses([second, third]) == ["queued", "queued"]
        line.rest_is_over()
        line.poll()
    assert line.answer() == [third.document_no]
    assert (line.row(second).last_code, line.shown(second)["stepped_aside"]) == ("unreadable", True)


def test_one_that_is_asked_alone_and_cannot_be_read_does_not_stop_the_others(line: Line) -> None:
    first, second = line.enter(2)
    line.house.rows("UPDATE registration SET tries = :k, failures = :k, last_code = 'his_busy'"
                    " WHERE person_id = :id", k=TRIES_IN_PLACE - 1, id=first.person_id)  # fmt: skip
    line.house.rows("UPDATE person SET document_no_sealed = 'v1.x' WHERE id = :id", id=first.person_id)
    line.poll()
    assert line.shown(first)["stepped_aside"] and line.answer() == [second.document_no]


def test_a_number_that_is_another_persons_steps_aside_at_once(line: Line) -> None:
    first, second, third = line.enter(3)
    line.poll()
    line.answer(lambda c: DONE | {"body": {"patient_no": "P3" if c["body"]["document_no"] == third.document_no
                                           else "P1"}})  # fmt: skip
    assert line.statuses([first, second, third]) == ["registered", "queued", "registered"]
    assert line.shown(second)["stepped_aside"] and line.row(second).last_code == "patient_number_taken"


def test_each_hospital_may_have_its_own_m(line: Line, here: Context) -> None:
    own = "UPDATE party SET config = config || jsonb_build_object('registration_batch', :m) WHERE code = 'H1'"
    line.house.rows(own.replace(":m", "CAST(:m AS int)"), m=12)
    try:
        patients = line.enter(14)
        line.poll()
        assert line.statuses(patients).count("registering") == 12
        require_sound(here)
        line.house.rows(own.replace(":m", "CAST(:m AS int)"), m=10)
        with pytest.raises(SystemExit, match="10 for H1"):
            require_sound(here)
    finally:
        line.house.rows("UPDATE party SET config = config - 'registration_batch' WHERE code = 'H1'")


def unbind(patient: Any) -> None:
    [bound] = patient.get("/bindings").get_json()["bindings"]
    assert patient.post(f"/bindings/{bound['id']}/revoke").status_code == 200


def test_a_person_to_whom_nobody_is_bound_leaves_the_line_unasked(line: Line, m: Any) -> None:
    m(2)
    patients = line.enter(4)
    unbind(patients[0])
    line.poll()
    line.poll()
    assert line.answer() == documents(patients[1:3])
    row = line.row(patients[0])
    assert (row.status, row.refused_code, row.command_id) == ("failed", "unbound", None)
    line.poll()
    assert line.answer() == documents(patients[3:])
    assert not line.house.value("SELECT count(*) FROM notice WHERE subject = :id", id=row.id)


def test_what_the_hospital_was_asked_already_is_asked_to_its_end(line: Line) -> None:
    """It may have registered the person: its number is noted, and no records are asked for."""
    (patient,) = line.enter(1)
    line.poll()
    line.answer(lambda _: {"outcome": "unknown", "code": "no_answer"})
    unbind(patient)
    line.rest_is_over()
    line.poll()
    assert line.answer() == [patient.document_no] and line.statuses([patient]) == ["registered"]
    number = "SELECT patient_no FROM patient_number WHERE person_id = :id AND pull_id IS NULL"
    assert line.house.value(number, id=patient.person_id)
    assert not [one for one in line.house.agent().poll(lanes=["pull"]) if one["kind"].startswith("pull_")]


MOVES = {
    ("queued", "begin"): "registering",
    ("queued", "leave"): "failed",
    ("registering", "register"): "registered",
    ("registering", "retry"): "queued",
    ("registering", "refuse"): "failed",
}
LEFT: dict[str, Any] = {"left_at": datetime.now(UTC)}
LEAVING = {
    "leave": LEFT | {"refused_code": "unbound"},
    "register": LEFT,
    "refuse": LEFT | {"refused_code": "blacklisted"},
}


def test_every_pair_of_state_and_event(line: Line) -> None:
    patient = line.house.known()
    booked = line.booked(patient)
    with line.house.runtime.work() as work:
        for n, (state, event) in enumerate(itertools.product(State, sorted(registrations.events))):
            row = Registration(
                hospital_id=line.house.hospital_id("H2"), line_no=10**6 + n, no=partner_number("rg"),
                person_id=patient.person_id, account_id=patient.account_id, appointment_id=booked, appointment_no="x",
                left_at=work.now if state in (State.REGISTERED, State.FAILED) else None,
                refused_code="blacklisted" if state == State.FAILED else None,
            )  # fmt: skip
            registrations.start(work, row, state)
            work.session.flush()
            try:
                (moved,) = registrations.move(work, [row.id], event, values=LEAVING.get(event, {}))
                assert moved.new == MOVES.get((state.value, event)), (state, event)
            except LostRace:
                assert (state.value, event) not in MOVES
            work.session.delete(row)
            work.session.flush()


def test_the_rest_grows_to_a_quarter_of_a_minute() -> None:
    assert [retry_pause(n).total_seconds() for n in (1, 2, 3, 4, 5, 2000)] == [1, 2, 4, 8, 15, 15]
