"""The list of ties on the hospital's machine, compared with ours every night."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.identity import service as identity
from tests.app.identity.kit import Clinic, patient_number


def _work_off(clinic: Clinic) -> list[dict[str, Any]]:
    """The agent does everything that waits in its lane; what it was told to tie and untie."""
    told = []
    while commands := clinic.agent().poll(lanes=["pull"]):
        for one in commands:
            clinic.agent().answer(one["id"])
            told.append(one)
    return told


def _compare(clinic: Clinic, theirs: list[dict[str, str]], **how: Any) -> list[tuple[str, str, str]]:
    """One night with this list; the ties that the hospital is then told to make and to undo."""
    with clinic.runtime.work() as work:
        work.later("identity.list_ties", None)
    clinic.drain_all("identity.list_ties")
    asked = next(one for one in clinic.agent().poll(lanes=["pull"]) if one["kind"] == "list_ties")
    clinic.agent().answer(asked["id"], {"ties": theirs}, **how)
    clinic.drain_all("identity.ties_listed")
    found = [(one["kind"], one["body"]["account_ref"], one["body"]["patient_no"]) for one in _work_off(clinic)]
    return sorted(found)


def test_what_the_hospital_lacks_is_tied_and_what_it_has_too_much_is_untied(clinic: Clinic) -> None:
    patient, patient_no = clinic.log_in(), patient_number()
    bound = clinic.bind(patient, patient_no)
    _work_off(clinic)
    ref = identity.account_ref(clinic.runtime.privacy, patient.account_id)
    hospital_id = UUID(bound["hospital_id"])
    with clinic.runtime.read() as session:
        ours = sorted(identity.ties(session, clinic.runtime.privacy, hospital_id))
    right = [{"account_ref": one, "patient_no": number} for one, number in ours]
    assert (ref, patient_no) in ours
    assert _compare(clinic, right) == []
    stray = {"account_ref": "f" * 32, "patient_no": "9999999"}
    wrong = [one for one in right if one["account_ref"] != ref] + [stray]
    assert _compare(clinic, wrong) == [("tie_account", ref, patient_no), ("untie_account", "f" * 32, "9999999")]
    assert _compare(clinic, [], outcome="failed") == []
    audit = "SELECT detail FROM audit_entry WHERE action = 'ties.compare' ORDER BY id DESC LIMIT 1"
    assert clinic.rows(audit)[0].detail == {"missing": 1, "left_over": 1}
