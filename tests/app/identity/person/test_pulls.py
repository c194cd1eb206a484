"""A hospital owes a patient's records: the patient sees since when, and the hospital is asked again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.core.ids import new_id
from app.exchange import service as exchange
from app.exchange.service import CommandAnswer, NewParty, put_party
from app.identity import service as identity
from app.identity.person import patients, pulls
from tests.app.identity.kit import Clinic, Patient, patient_number


class Ward:
    """One patient with a number at H1, and the hospital's machine as far as it is asked for the records."""

    def __init__(self, clinic: Clinic) -> None:
        self.clinic, self.patient_no = clinic, patient_number()
        self.patient: Patient = clinic.log_in()
        self.bound = clinic.bind(self.patient, self.patient_no)
        self.person_id = UUID(self.bound["person"]["id"])

    def asked(self) -> list[dict[str, Any]]:
        """The pulls of this patient that the machine is handed now; the rest of the lane is done."""
        mine = []
        while commands := self.clinic.agent().poll(lanes=["pull"]):
            for one in commands:
                if one["kind"] == "pull_patient" and one["body"]["patient_no"] == self.patient_no:
                    mine.append(one)
                else:
                    self.clinic.agent().answer(one["id"])
        return mine

    def answer(self, pull: dict[str, Any], body: Any = None, **how: Any) -> None:
        self.clinic.agent().answer(pull["id"], body, **how)
        self.clinic.drain_all("identity.pulled")

    def again(self) -> list[dict[str, Any]]:
        """The pause is over."""
        self.clinic.drain_all("identity.pull_again", hurry=True)
        return self.asked()

    def awaited(self, what: str = "bills") -> list[dict[str, Any]]:
        answer = self.patient.get(f"/{what}?person_id={self.person_id}")
        assert answer.status_code == 200, answer.get_json()
        return list(answer.get_json()["awaited"])

    def waited(self, since: timedelta) -> None:
        sooner = "UPDATE patient_number SET awaited_since = awaited_since - :time WHERE patient_no = :no"
        self.clinic.rows(sooner, time=since, no=self.patient_no)

    def pauses(self) -> list[float]:
        """Seconds until each question that is to be asked again."""
        due = (
            "SELECT extract(epoch FROM run_at - clock_timestamp()) AS s FROM task JOIN patient_number n ON"
            " n.pull_id = subject WHERE kind = 'identity.pull_again' AND n.patient_no = :no"
        )
        return [float(row.s) for row in self.clinic.rows(due, no=self.patient_no)]


@pytest.fixture
def ward(clinic: Clinic) -> Ward:
    return Ward(clinic)


def test_the_patient_sees_the_waiting_until_the_records_are_here(ward: Ward) -> None:
    (pull,) = ward.asked()
    assert 0 < pull["left_ms"] <= 10_000
    for what in ("bills", "visits", "reports"):
        (awaited,) = ward.awaited(what)
        assert awaited["hospital_id"] == ward.bound["hospital_id"] and awaited["more_follows"] is False
        assert datetime.fromisoformat(awaited["since"]) <= ward.clinic.runtime.clock.now()
        assert "等待" in awaited["text"]
    ward.answer(pull, {"batch_nos": [1], "complete": True})
    assert ward.awaited() == [] and ward.again() == []


@pytest.mark.parametrize("how", [{"outcome": "failed", "code": "push_pending"}, {"outcome": "unknown"}])
def test_what_failed_is_asked_again_after_a_pause_and_the_waiting_goes_on(ward: Ward, how: dict[str, Any]) -> None:
    (pull,) = ward.asked()
    since = ward.awaited()[0]["since"]
    ward.answer(pull, **how)
    assert ward.asked() == [] and 3 < ward.pauses()[0] <= 5
    (second,) = ward.again()
    assert second["body"] == pull["body"] and second["id"] != pull["id"]
    assert ward.awaited()[0]["since"] == since
    ward.waited(timedelta(minutes=3))
    ward.answer(second, **how)
    assert 175 < ward.pauses()[0] < 200, "as long again as it has been waited for"
    (third,) = ward.again()
    ward.answer(third, {"batch_nos": []})
    assert ward.awaited() == []


def test_a_machine_that_is_away_is_asked_again_and_a_late_answer_counts(ward: Ward) -> None:
    (pull,) = ward.asked()
    ward.clinic.rows("UPDATE command SET deadline = deadline - interval '1 minute' WHERE id = :id", id=pull["id"])
    with ward.clinic.runtime.work() as work:
        exchange.expire(work)
    ward.clinic.drain_all("identity.pulled")
    assert len(ward.awaited()) == len(ward.pauses()) == 1
    ward.answer(pull, {"complete": True})
    assert ward.awaited() == []
    assert ward.again() == [], "it came before it was asked for again"


def test_the_rest_of_much_is_announced_and_asked_for(ward: Ward) -> None:
    (pull,) = ward.asked()
    ward.answer(pull, {"batch_nos": [1], "complete": False})
    (awaited,) = ward.awaited()
    assert awaited["more_follows"] is True and "其余" in awaited["text"]
    assert 100 < ward.pauses()[0] <= 120, "the source's idle time is not here in a moment"
    (second,) = ward.again()
    ward.answer(second, outcome="failed")
    assert ward.awaited()[0]["more_follows"] is True, "a part is here all the same"
    (third,) = ward.again()
    ward.answer(third, {"batch_nos": [], "complete": True})
    assert ward.awaited() == []


def test_a_refusal_is_final(ward: Ward) -> None:
    (pull,) = ward.asked()
    ward.answer(pull, outcome="refused", code="unsupported_command")
    assert ward.awaited() == [] and ward.again() == []
    told = "SELECT detail FROM audit_entry WHERE action = 'pull.refused' AND subject_id = :id"
    assert [row.detail["code"] for row in ward.clinic.rows(told, id=ward.person_id)] == ["unsupported_command"]


def test_after_a_day_it_is_asked_once_a_night(ward: Ward) -> None:
    (pull,) = ward.asked()
    ward.waited(timedelta(days=1, minutes=1))
    ward.answer(pull, outcome="failed")
    assert ward.pauses() == [] and len(ward.awaited()) == 1
    with ward.clinic.runtime.work() as work:
        pulls.ask_late(work, UUID(ward.bound["hospital_id"]))
    (second,) = ward.asked()
    ward.answer(second, {"complete": True})
    assert ward.awaited() == []


def test_nobody_asks_for_whom_nobody_is_bound_to(ward: Ward) -> None:
    (pull,) = ward.asked()
    ward.answer(pull, outcome="failed")
    assert ward.patient.post(f"/bindings/{ward.bound['id']}/revoke").status_code == 200
    assert ward.again() == []
    (row,) = ward.clinic.rows("SELECT pull_id FROM patient_number WHERE patient_no = :no", no=ward.patient_no)
    assert row.pull_id is None


def test_only_the_newest_question_counts(ward: Ward) -> None:
    (old,) = ward.asked()
    hospital_id, newer = UUID(ward.bound["hospital_id"]), patient_number()
    with ward.clinic.runtime.work() as work:
        assert identity.set_patient_number(work, hospital_id, newer, ward.person_id)
    ward.answer(old, {"complete": True})
    assert len(ward.awaited()) == 1, "the records of the number that has been replaced are not those of the new one"
    ward.patient_no = newer
    (pull,) = ward.asked()
    ward.answer(pull, {"complete": True})
    assert ward.awaited() == []


@pytest.mark.parametrize("said", [{"complete": "no"}, {"complete": None}, {"incomplete": "0000041"},
                                  {"complete": True, "incomplete": [5]}])  # fmt: skip
def test_an_answer_that_does_not_say_whether_more_follows_is_a_failure(ward: Ward, said: dict[str, Any]) -> None:
    (pull,) = ward.asked()
    ward.answer(pull, {"batch_nos": [1], **said})
    (awaited,) = ward.awaited()
    assert awaited["more_follows"] is False and 3 < ward.pauses()[0] <= 5
    (second,) = ward.again()
    ward.answer(second, {"batch_nos": [], "complete": True})
    assert ward.awaited() == []


@pytest.fixture
def two(clinic: Clinic) -> tuple[Ward, Ward]:
    """Two patients whose numbers come together, as from the registration line."""
    wards = (Ward(clinic), Ward(clinic))
    numbers = {ward.person_id: patient_number() for ward in wards}
    with clinic.runtime.work() as work:
        work.session.execute(text("DELETE FROM patient_number WHERE person_id = ANY(:known)"), {"known": list(numbers)})
        assert identity.set_patient_numbers(work, UUID(wards[0].bound["hospital_id"]), numbers) == set()
    for ward in wards:
        ward.patient_no = numbers[ward.person_id]
    return wards


def _of_many(clinic: Clinic, kind: str) -> dict[str, Any]:
    """The one command of this kind that the machine is handed now."""
    (found,) = (one for one in clinic.agent().poll(lanes=["pull"]) if one["kind"] == kind)
    return dict(found)


def test_many_at_once_wait_in_the_machines_lane(clinic: Clinic, two: tuple[Ward, Ward]) -> None:
    """Whoever is registered in a line looks at no page: the machine has its time, and nothing is asked twice."""
    pull = _of_many(clinic, "pull_patients")
    assert pull["left_ms"] is None
    assert sorted(pull["body"]["patient_nos"]) == sorted(ward.patient_no for ward in two)
    assert [len(ward.awaited()) for ward in two] == [1, 1]
    two[0].answer(pull, {"batch_nos": [1], "incomplete": []})
    assert [ward.awaited() for ward in two] == [[], []] and two[0].again() == []


def test_many_at_once_are_tied_by_one_command(clinic: Clinic, two: tuple[Ward, Ward]) -> None:
    ties = _of_many(clinic, "tie_accounts")["body"]["ties"]
    with clinic.runtime.read() as session:
        wanted = patients.ties(session, clinic.runtime.privacy, UUID(two[0].bound["hospital_id"]))
    mine = {ward.patient_no for ward in two}
    told = {(tie["account_ref"], tie["patient_no"]) for tie in ties}
    assert told == {pair for pair in wanted if pair[1] in mine} and len(told) == 2


def test_of_many_only_those_wait_of_whom_more_follows(clinic: Clinic, two: tuple[Ward, Ward]) -> None:
    pull = _of_many(clinic, "pull_patients")
    two[0].answer(pull, {"batch_nos": [1], "incomplete": [two[1].patient_no]})
    assert two[0].awaited() == [] and two[1].awaited()[0]["more_follows"] is True
    assert two[0].pauses() == [] and len(two[1].pauses()) == 1
    (second,) = two[1].again()
    two[1].answer(second, {"batch_nos": [], "complete": True})
    assert two[1].awaited() == []


def test_what_failed_together_is_asked_for_one_by_one(clinic: Clinic, two: tuple[Ward, Ward]) -> None:
    together = _of_many(clinic, "pull_patients")
    two[0].answer(together, outcome="failed", code="agent_error")
    assert [len(ward.awaited()) for ward in two] == [1, 1]
    clinic.drain_all("identity.pull_again", hurry=True)
    with clinic.runtime.work() as work:
        pulls.answered(work, [_said(UUID(together["id"]), {"incomplete": []})])
    assert [len(ward.awaited()) for ward in two] == [1, 1], "a late word on the old question ends no newer one"
    asked = {one["body"].get("patient_no"): one for one in clinic.agent().poll(lanes=["pull"])}
    assert {ward.patient_no for ward in two} <= set(asked)
    two[0].answer(asked[two[0].patient_no], {"complete": True})
    two[1].answer(asked[two[1].patient_no], outcome="failed")
    assert two[0].awaited() == [] and len(two[1].awaited()) == len(two[1].pauses()) == 1


def test_of_many_all_wait_where_nobody_can_say_of_whom_more_follows(clinic: Clinic, two: tuple[Ward, Ward]) -> None:
    two[0].answer(_of_many(clinic, "pull_patients"), {"batch_nos": [1], "incomplete": two[1].patient_no})
    assert [len(ward.awaited()) for ward in two] == [1, 1]
    clinic.drain_all("identity.pull_again", hurry=True)
    asked = {one["body"].get("patient_no") for one in clinic.agent().poll(lanes=["pull"])}
    assert {ward.patient_no for ward in two} <= asked


def test_many_who_unbound_are_not_asked_for_again(clinic: Clinic, two: tuple[Ward, Ward]) -> None:
    two[0].answer(_of_many(clinic, "pull_patients"), outcome="unknown")
    assert two[0].patient.post(f"/bindings/{two[0].bound['id']}/revoke").status_code == 200
    assert two[0].again() == [] and len(two[1].awaited()) == 1


@pytest.fixture
def parted(clinic: Clinic) -> tuple[Ward, Ward]:
    """Two patients whose numbers come together; the first has unbound."""
    wards = (Ward(clinic), Ward(clinic))
    for ward in wards:
        ward.asked()
        clinic.rows("DELETE FROM patient_number WHERE patient_no = :no", no=ward.patient_no)
        ward.patient_no = patient_number()
    assert wards[0].patient.post(f"/bindings/{wards[0].bound['id']}/revoke").status_code == 200
    return wards


def awaited_now(clinic: Clinic, wards: tuple[Ward, Ward]) -> list[bool]:
    query = "SELECT pull_id IS NOT NULL AS waits FROM patient_number WHERE patient_no = :no"
    return [clinic.rows(query, no=ward.patient_no)[0].waits for ward in wards]


def test_records_are_not_asked_for_where_nobody_is_bound(clinic: Clinic, parted: tuple[Ward, Ward]) -> None:
    """The numbers are noted all the same."""
    hospital_id, numbers = UUID(parted[0].bound["hospital_id"]), {one.person_id: one.patient_no for one in parted}
    with clinic.runtime.work() as work:
        assert identity.set_patient_numbers(work, hospital_id, numbers) == set()
    assert _of_many(clinic, "pull_patients")["body"]["patient_nos"] == [parted[1].patient_no]
    assert awaited_now(clinic, parted) == [False, True]


def test_a_number_of_somebody_to_whom_nobody_is_bound_asks_for_nothing(
    clinic: Clinic, parted: tuple[Ward, Ward]
) -> None:
    with clinic.runtime.work() as work:
        for ward in parted:
            assert identity.set_patient_number(work, UUID(ward.bound["hospital_id"]), ward.patient_no, ward.person_id)
    assert parted[0].asked() == [] and awaited_now(clinic, parted) == [False, True]


def test_records_are_asked_for_only_at_a_hospital_where_somebody_is_bound(clinic: Clinic, ward: Ward) -> None:
    with clinic.runtime.work() as work:
        other = put_party(work, NewParty("hospital", "H8", "第八医院"))
        assert identity.set_patient_numbers(work, other, {ward.person_id: ward.patient_no}) == set()
    asked = "SELECT count(*) FROM command WHERE party_id = :id AND kind LIKE 'pull_%'"
    assert clinic.rows(asked, id=other) == [(0,)]


def test_the_same_number_at_another_hospital_waits_for_itself(clinic: Clinic, two: tuple[Ward, Ward]) -> None:
    """Answers of several hospitals have their effect together."""
    pull = _of_many(clinic, "pull_patients")
    with clinic.runtime.work() as work:
        other, command_id = put_party(work, NewParty("hospital", "H9", "第九医院")), new_id()
        row = {"hospital": other, "no": two[0].patient_no, "person": two[1].person_id, "pull": command_id}
        work.session.execute(
            text(
                "INSERT INTO patient_number (hospital_id, patient_no, person_id, pull_id, awaited_since)"
                " VALUES (:hospital, :no, :person, :pull, clock_timestamp())"
            ),
            row,
        )
        said = [_said(UUID(pull["id"]), {"incomplete": [two[0].patient_no]}), _said(command_id, {"complete": True})]
        pulls.answered(work, said)
    assert len(two[0].awaited()) == 1 and two[1].awaited() == []


def _said(command_id: UUID, body: dict[str, Any]) -> CommandAnswer:
    return CommandAnswer(
        command_id, new_id(), None, "pull_patients", None, "done", None, None, body, datetime.now().astimezone()
    )
