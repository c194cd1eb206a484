"""A hospital agent's commands against the HIS double."""

from __future__ import annotations

import json
import uuid
from typing import Any

from hospital_agent.store.db import Store
from hospital_agent.store.registry import Ties
from tests.hospital_agent.handlers.kit import Site

PERSON = ("name", "document_type", "document_no", "phone", "birth_date", "sex")


def identity(person: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"check_no": "K1", **{key: person[key] for key in PERSON}, **changes}


def registration(person: dict[str, Any], **changes: Any) -> dict[str, Any]:
    body = {"registration_no": uuid.uuid4().hex, "appointment_no": None, "medical_card_no": person["medical_card_no"]}
    return body | {key: person[key] for key in PERSON} | changes


def spooled(site: Site) -> list[dict[str, Any]]:
    rows = []
    while (batch := site.spool.next_unsent()) is not None:
        rows += json.loads(batch.rows)
        site.spool.accepted(batch.batch_no)
    return rows


def test_a_known_person_is_verified(site: Site) -> None:
    answer = site.ask("verify_identity", **identity(site.person()))
    assert (answer.outcome, answer.body) == ("done", {"patient_no": site.person()["patient_no"]})


def test_a_wrong_name_is_refused_with_the_hospitals_reason(site: Site) -> None:
    answer = site.ask("verify_identity", **identity(site.person(), name="别人"))
    assert (answer.outcome, answer.code) == ("refused", "name_mismatch")
    assert answer.message


def test_a_hospital_that_does_not_answer_is_a_temporary_failure(site: Site) -> None:
    site.his.fail("/patients/verify", status=503)
    assert site.ask("verify_identity", **identity(site.person())).outcome == "failed"
    site.his.fail("/patients/verify", drop="before")
    assert site.ask("verify_identity", **identity(site.person())).code == "his_unreachable"
    site.his.fail("/patients/verify", delay_s=0.8)
    assert site.ask("verify_identity", **identity(site.person())).code == "his_timeout"
    site.his.fail("/patients/verify", status=200, body="<html>")
    assert site.ask("verify_identity", **identity(site.person())).code == "his_bad_answer"


def test_registration_is_answered_the_same_again_when_its_answer_was_lost(site: Site) -> None:
    body = registration(site.person(1))
    site.his.fail("/registrations", drop="after")
    assert site.ask("register", **body).outcome == "failed"
    answer = site.ask("register", **body)
    assert (answer.outcome, answer.body) == ("done", {"patient_no": site.person(1)["patient_no"]})


def test_a_registration_that_the_hospital_refuses_is_final(site: Site) -> None:
    answer = site.ask("register", **registration(site.person(1), document_no="110101199003070011"))
    assert (answer.outcome, answer.code) == ("refused", "document_invalid")


def test_a_command_without_its_fields_is_refused(site: Site) -> None:
    assert site.ask("pull_patient").code == "malformed_command"
    assert site.ask("sing").code == "unsupported_command"


def test_ties_are_listed_and_revoked(site: Site) -> None:
    site.ask("tie_account", account_ref="A1", patient_no="P1")
    assert site.ask("list_ties").body == {"ties": [{"account_ref": "A1", "patient_no": "P1"}], "revoked": []}
    site.ask("untie_account", account_ref="A1", patient_no="P1")
    assert site.ask("list_ties").body == {"ties": [], "revoked": []}


def test_what_the_hospital_has_revoked_is_reported_and_not_tied_before_the_platform_ended_it(
    site: Site, store: Store
) -> None:
    tie = {"account_ref": "A1", "patient_no": "P1"}
    site.ask("tie_account", **tie)
    assert Ties(store).revoke("A1", "P1")
    listed = site.ask("list_ties").body
    assert listed["ties"] == [] and [one | {"revoked_at": ""} for one in listed["revoked"]] == [
        tie | {"revoked_at": ""}
    ]
    again = site.ask("tie_account", **tie)
    assert (again.outcome, again.code) == ("refused", "tie_revoked")
    site.ask("untie_account", **tie)
    assert site.ask("list_ties").body == {"ties": [], "revoked": []}
    assert site.ask("tie_account", **tie).outcome == "done", "bound anew, after a new check"
    assert site.ask("list_ties").body == {"ties": [tie], "revoked": []}


def test_an_appointment_is_confirmed_and_cancelled(site: Site) -> None:
    with site.source.engine.connect() as connection:
        slot = connection.exec_driver_sql("SELECT hyid FROM gh_hy WHERE zt = '1' LIMIT 1").scalar_one()
    person = site.person(2)
    body = {"appointment_no": f"AP{uuid.uuid4().hex[:8]}", "slot_key": slot}
    body |= {key: person[key] for key in ("name", "document_no", "phone", "medical_card_no")}
    assert site.ask("confirm_appointment", **body).outcome == "done"
    assert site.ask("cancel_appointment", appointment_no=body["appointment_no"]).outcome == "done"
    refused = site.ask("confirm_appointment", **body | {"appointment_no": "AP2", "slot_key": "none"})
    assert (refused.outcome, refused.code) == ("refused", "slot_stopped")
    refused = site.ask("confirm_appointment", **body | {"appointment_no": "AP3", "medical_card_no": "C0000"})
    assert (refused.outcome, refused.code) == ("refused", "card_mismatch")


def test_a_pull_brings_all_of_one_patient(site: Site) -> None:
    person = next(p for p in site.people if p["bills"])
    answer = site.ask("pull_patient", patient_no=person["patient_no"])
    assert answer.body == {"batch_nos": [1], "complete": True}
    rows = spooled(site)
    assert sum(row["type"] == "bill" for row in rows) >= person["bills"]
    assert {row["data"]["patient_no"] for row in rows if "patient_no" in row["data"]} == {person["patient_no"]}


def test_a_pull_of_many_brings_each_and_says_of_whom_more_follows(site: Site) -> None:
    two = [site.person(3)["patient_no"], site.person(4)["patient_no"]]
    answer = site.ask("pull_patients", patient_nos=two)
    assert answer.body == {"batch_nos": [1, 2], "incomplete": []}
    assert {row["data"]["patient_no"] for row in spooled(site) if "patient_no" in row["data"]} == set(two)


def test_many_are_tied_at_once_but_what_the_hospital_has_revoked(site: Site, store: Store) -> None:
    ties = [{"account_ref": f"A{number}", "patient_no": f"P{number}"} for number in (1, 2)]
    revoked = ties[0]
    site.ask("tie_account", **revoked)
    Ties(store).revoke(**revoked)
    assert site.ask("tie_accounts", ties=ties).outcome == "done"
    assert site.ask("tie_accounts", ties=ties).outcome == "done", "the same again"
    assert site.ask("list_ties").body["ties"] == ties[1:]


def test_a_settled_bill_and_its_e_bill_are_pushed_at_once(site: Site) -> None:
    visit = site.attend(3)
    site.ask("pull_patient", patient_no=site.person(3)["patient_no"])
    before = next(row for row in spooled(site) if row["key"] == visit["bill_key"])
    assert before["data"]["status"] == "unsettled"
    notice = {
        "settlement_no": uuid.uuid4().hex,
        "bill_key": visit["bill_key"],
        "setl_id": "S1",
        "fund_fen": 100,
        "account_fen": 0,
        "self_pay_fen": visit["total_fen"] - 100,
        "payment_no": "PAY1",
        "paid_at": "2026-11-21T03:00:00Z",
    }
    assert site.ask("settlement_notice", **notice).outcome == "done"
    rows = spooled(site)
    bill = next(row for row in rows if row["type"] == "bill")
    assert (bill["data"]["status"], bill["data"]["fund_fen"]) == ("settled", 100)
    assert bill["version"] > before["version"]
    assert [row["type"] for row in rows].count("e_bill") == 1
    assert site.ask("settlement_notice", **notice).outcome == "done"
    assert spooled(site) == []
    assert site.ask("settlement_reversed", settlement_no=notice["settlement_no"], bill_key=visit["bill_key"])
    statuses = {row["type"]: row["data"]["status"] for row in spooled(site)}
    assert statuses == {"bill": "refunded", "e_bill": "reversed"}
