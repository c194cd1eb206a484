"""The list of ties on the hospital's machine, compared with ours every night."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.identity import service as identity
from tests.app.identity.kit import Clinic, Patient, patient_number
from tests.app.operators import operator

Tie = dict[str, str]
STRAY = {"account_ref": "f" * 32, "patient_no": "9999999"}


def _work_off(clinic: Clinic) -> list[dict[str, Any]]:
    """The agent does everything that waits in its lane; what it was told to tie and untie."""
    told = []
    while commands := clinic.agent().poll(lanes=["pull"]):
        for one in commands:
            clinic.agent().answer(one["id"])
            told.append(one)
    return told


def _compare(clinic: Clinic, body: dict[str, Any], **how: Any) -> list[tuple[str, str, str]]:
    """One night with this answer; the ties that the hospital is then told to make and to undo."""
    with clinic.runtime.work() as work:
        work.later("identity.list_ties", None)
    clinic.drain_all("identity.list_ties")
    asked = next(one for one in clinic.agent().poll(lanes=["pull"]) if one["kind"] == "list_ties")
    clinic.agent().answer(asked["id"], body, **how)
    clinic.drain_all("identity.ties_listed")
    told = [one for one in _work_off(clinic) if one["kind"] in ("tie_account", "untie_account")]
    return sorted((one["kind"], one["body"]["account_ref"], one["body"]["patient_no"]) for one in told)


def _bound(clinic: Clinic) -> tuple[Patient, dict[str, Any], Tie]:
    """A patient with a live binding and the tie that stands for it, known to the hospital's machine."""
    patient, patient_no = clinic.log_in(), patient_number()
    bound = clinic.bind(patient, patient_no)
    _work_off(clinic)
    ref = identity.account_ref(clinic.runtime.privacy, patient.account_id)
    return patient, bound, {"account_ref": ref, "patient_no": patient_no}


def _ours(clinic: Clinic) -> list[Tie]:
    with clinic.runtime.read() as session:
        hospital_id = next(one.id for one in clinic.rows("SELECT id FROM party WHERE code = 'H1'"))
        ours = sorted(identity.ties(session, clinic.runtime.privacy, hospital_id))
    return [{"account_ref": ref, "patient_no": number} for ref, number in ours]


def _seen(clinic: Clinic, party: UUID | None = None, role: str = "auditor") -> dict[str, Any]:
    """What an operator is shown, by hospital."""
    answer = clinic.client.get("/api/v1/operator/ties", headers=operator(clinic.runtime, role, party))
    assert answer.status_code == 200, answer.get_json()
    return {one["hospital"]: one for one in answer.get_json()["items"]}


def test_what_the_hospital_lacks_is_tied_and_what_it_has_too_much_is_untied(clinic: Clinic) -> None:
    _, _, tie = _bound(clinic)
    right = _ours(clinic)
    assert tie in right
    assert _compare(clinic, {"ties": right}) == []
    ref, patient_no = tie["account_ref"], tie["patient_no"]
    wrong = [one for one in right if one != tie] + [STRAY]
    told = [("tie_account", ref, patient_no), ("untie_account", STRAY["account_ref"], STRAY["patient_no"])]
    assert _compare(clinic, {"ties": wrong}) == told
    audit = "SELECT detail FROM audit_entry WHERE action = 'ties.compare' ORDER BY id DESC LIMIT 1"
    assert clinic.rows(audit)[0].detail == {"missing": 1, "left_over": 1, "revoked": 0}


def test_what_the_hospital_has_revoked_ends_here_and_the_patient_is_told(clinic: Clinic) -> None:
    patient, bound, tie = _bound(clinic)
    rest = [one for one in _ours(clinic) if one != tie]
    stone = tie | {"revoked_at": "2026-11-21T03:00:00+00:00"}
    ended = [("untie_account", tie["account_ref"], tie["patient_no"])]
    assert _compare(clinic, {"ties": rest, "revoked": [stone]}) == ended
    found = patient.get(f"/bindings/{bound['id']}").get_json()
    assert (found["status"], found["refused_code"]) == ("revoked", "revoked_by_hospital")
    assert "医院已解除" in found["reason"] and found["person"] is None
    assert patient.get(f"/bills?person_id={bound['person']['id']}").status_code == 404
    clinic.drain_all("notification.unbound")
    notice = "SELECT template FROM notice WHERE account_id = :account ORDER BY id DESC LIMIT 1"
    assert [one.template for one in clinic.rows(notice, account=patient.account_id)] == ["unbound"]
    moved = "SELECT detail->>'why' AS why FROM audit_entry WHERE subject_id = :id ORDER BY id DESC LIMIT 1"
    assert clinic.rows(moved, id=bound["id"])[0].why == "revoked_by_hospital"
    seen = _seen(clinic)["H1"]
    assert (seen["missing"], seen["left_over"], seen["revoked"], seen["failure"]) == (0, 0, 1, None)
    assert _compare(clinic, {"ties": rest, "revoked": [stone]}) == ended, "the machine has not heard it: told again"
    assert tie not in _ours(clinic)


def _untied(clinic: Clinic, tie: Tie) -> int:
    """How often the machine is told to untie it."""
    return sum((one["kind"], one["body"]) == ("untie_account", tie) for one in _work_off(clinic))


def _tell_revoked(clinic: Clinic, tie: dict[str, Any]) -> Any:
    said = clinic.agent().post("/messages", {"type": "tie.revoked", "data": tie})
    clinic.drain_all("identity.tie_revoked")
    return said


def test_what_the_hospital_has_just_revoked_ends_here_at_once_and_the_patient_is_told(clinic: Clinic) -> None:
    patient, bound, tie = _bound(clinic)
    assert _tell_revoked(clinic, tie).status_code == 202
    found = patient.get(f"/bindings/{bound['id']}").get_json()
    assert (found["status"], found["refused_code"]) == ("revoked", "revoked_by_hospital")
    assert _untied(clinic, tie) == 1
    clinic.drain_all("notification.unbound")
    notice = "SELECT template FROM notice WHERE account_id = :account ORDER BY id DESC LIMIT 1"
    assert [one.template for one in clinic.rows(notice, account=patient.account_id)] == ["unbound"]
    _tell_revoked(clinic, tie)
    assert _untied(clinic, tie) == 1, "said again: the machine may forget it"
    assert clinic.rows("SELECT count(*) AS n FROM audit_entry WHERE subject_id = :id AND detail->>'why' ="
                       " 'revoked_by_hospital'", id=bound["id"])[0].n == 1  # fmt: skip


def test_a_revocation_that_is_heard_late_does_not_end_a_newer_binding(clinic: Clinic) -> None:
    patient, bound, tie = _bound(clinic)
    clinic.agent().ok("/messages", {"type": "tie.revoked", "data": tie})
    with clinic.runtime.work() as work:  # as if it had ended by night meanwhile, and been made anew
        work.session.execute(text("UPDATE binding SET status_since = now() WHERE id = :id"), {"id": bound["id"]})
    clinic.drain_all("identity.tie_revoked")
    assert patient.get(f"/bindings/{bound['id']}").get_json()["status"] == "live"


def test_another_hospital_or_a_stranger_s_tie_ends_nothing(clinic: Clinic) -> None:
    patient, bound, tie = _bound(clinic)
    other = {"type": "tie.revoked", "data": tie}
    assert clinic.agent("H2").post("/messages", other).status_code == 202
    wrongs: list[dict[str, Any]] = [{}, {"account_ref": 7, "patient_no": None}]
    for wrong in (*wrongs, STRAY, tie | {"account_ref": STRAY["account_ref"]}):
        assert _tell_revoked(clinic, wrong).status_code == 202
    assert patient.get(f"/bindings/{bound['id']}").get_json()["status"] == "live"
    assert not clinic.rows("SELECT 1 FROM task WHERE kind = 'identity.tie_revoked' AND status <> 'done'")


def test_a_patient_may_bind_again_after_the_hospital_has_revoked(clinic: Clinic) -> None:
    patient, _, tie = _bound(clinic)
    rest = [one for one in _ours(clinic) if one != tie]
    _compare(clinic, {"ties": rest, "revoked": [tie]})
    again = clinic.bind(patient, patient_number())
    assert again["status"] == "live" and again["refused_code"] is None
    assert "tie_account" in [one["kind"] for one in _work_off(clinic)]


@pytest.mark.parametrize(
    ("body", "how", "failure"),
    [
        ({}, {"outcome": "failed", "code": "agent_error"}, "agent_error"),
        ({"ties": None}, {}, "list_unreadable"),
        ({"ties": [{"account_ref": 7}]}, {}, "list_unreadable"),
        ({"ties": [], "revoked": [["x"]]}, {}, "list_unreadable"),
    ],
)
def test_a_list_that_cannot_be_had_changes_nothing_and_is_shown(
    clinic: Clinic, body: dict[str, Any], how: dict[str, Any], failure: str
) -> None:
    patient, bound, _ = _bound(clinic)
    _compare(clinic, {"ties": _ours(clinic)})
    before = _seen(clinic)["H1"]
    assert before["failure"] is None and before["ours"] == before["theirs"] == len(_ours(clinic))
    assert _compare(clinic, body, **how) == []
    seen = _seen(clinic)["H1"]
    assert (seen["failure"], seen["compared_at"]) == (failure, before["compared_at"])
    assert seen["asked_at"] > before["asked_at"]
    assert patient.get(f"/bindings/{bound['id']}").get_json()["status"] == "live"


def test_people_of_a_hospital_see_their_own(clinic: Clinic) -> None:
    second = clinic.rows("SELECT id FROM party WHERE code = 'H2'")[0].id
    assert list(_seen(clinic, second)) == ["H2"]
    assert {"H1", "H2"} <= set(_seen(clinic))
    answer = clinic.client.get("/api/v1/operator/ties", headers=operator(clinic.runtime, "claims"))
    assert answer.status_code == 403
