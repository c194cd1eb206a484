"""An insurer asks for a hospital's data: what the claim and the patient's consent allow goes there and back once."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import pytest

from tests.app.claim.kit import at_the_insurer, set_status
from tests.app.town import Insured, Town

KINDS = ("claim.forward_request", "claim.answer_request")
_numbers = itertools.count(1)


@dataclass
class Case:
    """A claim at insurer I1 about one visit of hospital H1."""

    town: Town
    who: Insured
    claim_id: str

    @property
    def claim_no(self) -> str:
        return str(self.town.value("SELECT no FROM claim WHERE id = :id", id=self.claim_id))

    @property
    def visit_key(self) -> str:
        query = "SELECT v.key FROM claim_bill c JOIN bill b ON b.id = c.bill_id JOIN visit v ON v.id = b.visit_id"
        return str(self.town.value(f"{query} WHERE c.claim_id = :id", id=self.claim_id))

    def ask(self, code: str = "I1", **wrong: Any) -> str:
        """The number of a request that was sent and forwarded, if it could be."""
        number = f"Q{next(_numbers)}"
        asked = {"request_no": number, "hospital": "H1", "kind": "record.visit", "data": {"claim_no": self.claim_no}}
        self.town.agent(code).ok("/requests", asked | wrong)
        self.town.drain_all(*KINDS)
        return number

    def commands(self) -> list[dict[str, Any]]:
        return [one for one in self.town.commands("H1", "pull") if one["kind"] == "read_visit"]

    def hospital_answers(self, command: dict[str, Any], rows: list[dict[str, Any]], **how: Any) -> None:
        self.town.agent("H1").answer(command["id"], {"rows": rows, "complete": True}, **how)
        self.town.drain_all(*KINDS)

    def answer(self, number: str, code: str = "I1") -> dict[str, Any] | None:
        found = self.town.agent(code).ok("/requests/answers/poll", {"cursor": 0, "max": 200})["answers"]
        return next((one for one in found if one["request_no"] == number), None)

    def rows(self) -> list[dict[str, Any]]:
        data = {"patient_no": self.who.patient_no, "department_name": "内科"}
        return [
            {"type": "visit", "key": self.visit_key, "data": data},
            {"type": "report", "key": "R1", "data": {"visit_key": self.visit_key, "summary": "未见异常"}},
        ]


@pytest.fixture
def case(town: Town) -> Case:
    who = town.insured()
    return Case(town, who, at_the_insurer(town, who))


def receipts(case: Case) -> list[list[str]]:
    query = "SELECT what FROM consent_receipt WHERE subject_id = :id ORDER BY id"
    return [row.what for row in case.town.rows(query, id=case.claim_id)]


def test_a_request_goes_to_the_hospital_and_its_answer_back_once(case: Case) -> None:
    number, before = case.ask(), receipts(case)
    (command,) = case.commands()
    assert command["body"]["patient_no"] == case.who.patient_no
    assert command["body"]["visit_keys"] == [case.visit_key]
    assert {"visit", "diagnosis", "report", "bill", "fee_line", "e_bill"} <= set(command["body"]["types"])
    assert command["left_ms"] is not None and case.answer(number) is None
    case.hospital_answers(command, case.rows())
    answer = case.answer(number)
    assert answer is not None and (answer["outcome"], answer["code"]) == ("done", None)
    assert answer["data"] == {"rows": case.rows(), "complete": True}
    assert receipts(case) == [*before, ["reports", "visits"]], "the patient can read what was shared"
    case.hospital_answers(command, [])
    assert case.answer(number) == answer, "answered ones never twice"
    assert case.answer(number, "I2") is None


@pytest.mark.parametrize(
    ("code", "wrong", "reason"),
    [
        ("I2", {}, "claim_unknown"),
        ("I1", {"data": {"claim_no": "CL-none"}}, "claim_unknown"),
        ("I1", {"data": {}}, "request_malformed"),
        ("I1", {"data": {"claim_no": "CL1", "everything": True}}, "request_malformed"),
        ("I1", {"hospital": "H2"}, "hospital_not_of_claim"),
    ],
)
def test_what_the_claim_does_not_allow_reaches_no_hospital(
    case: Case, code: str, wrong: dict[str, Any], reason: str
) -> None:
    number = case.ask(code, **wrong)
    answer = case.answer(number, code)
    assert answer is not None and (answer["outcome"], answer["code"], answer["data"]) == ("refused", reason, {})
    assert case.commands() == []


def withdraw_consent(case: Case, data_class: str) -> None:
    [consent] = [one for one in case.who.get("/consents")["consents"] if one["data_class"] == data_class]
    assert case.who.post(f"/consents/{consent['id']}/withdraw").status_code == 200


@pytest.mark.parametrize("data_class", ["general", "health"])
def test_without_consent_nobody_is_asked(case: Case, data_class: str) -> None:
    withdraw_consent(case, data_class)
    answer = case.answer(case.ask())
    assert answer is not None and (answer["outcome"], answer["code"]) == ("refused", "no_consent")
    assert case.commands() == []


@pytest.mark.parametrize("data_class", ["general", "health"])
def test_a_consent_that_is_withdrawn_meanwhile_keeps_the_answer_back(case: Case, data_class: str) -> None:
    number = case.ask()
    (command,) = case.commands()
    withdraw_consent(case, data_class)
    case.hospital_answers(command, case.rows())
    answer = case.answer(number)
    assert answer is not None and (answer["outcome"], answer["code"], answer["data"]) == ("refused", "no_consent", {})


def test_a_claim_that_has_ended_gives_no_reason_to_ask(case: Case) -> None:
    set_status(case.town, case.claim_id, "withdrawn")
    answer = case.answer(case.ask())
    assert answer is not None and (answer["outcome"], answer["code"]) == ("refused", "claim_ended")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"key": "another-visit"}, "answer_unfitting"),
        ({"type": "bill", "data": {"visit_key": "another-visit"}}, "answer_unfitting"),
        ({"type": "fee_line", "data": {"bill_key": "another-bill"}}, "answer_unfitting"),
        ({"type": "fee_line", "data": {"bill_key": ["another-bill"]}}, "answer_unfitting"),
        ({"type": "bill", "data": {"visit_key": {"key": "another-visit"}}}, "answer_unfitting"),
        ({"type": "slot"}, "answer_unfitting"),
        ({"data": None}, "answer_unreadable"),
    ],
)
def test_what_was_not_asked_for_does_not_leave_us(case: Case, wrong: dict[str, Any], code: str) -> None:
    number, before = case.ask(), receipts(case)
    (command,) = case.commands()
    visit, report = case.rows()
    case.hospital_answers(command, [visit, report | {"type": "visit"} | wrong])
    answer = case.answer(number)
    assert answer is not None and (answer["outcome"], answer["code"], answer["data"]) == ("failed", code, {})
    assert receipts(case) == before


def test_who_refuses_is_believed_and_who_fails_is_asked_again(case: Case) -> None:
    refused, failed = case.ask(), case.ask()
    first, second = case.commands()
    case.hospital_answers(first, [], outcome="refused", code="visit_unknown")
    case.hospital_answers(second, [], outcome="failed", code="source_slow")
    answer = case.answer(refused)
    assert answer is not None and (answer["outcome"], answer["code"]) == ("refused", "visit_unknown")
    assert case.answer(failed) is None and case.commands() == []
    case.town.drain_all(*KINDS, hurry=True)
    (again,) = case.commands()
    case.hospital_answers(again, case.rows())
    answer = case.answer(failed)
    assert answer is not None and answer["outcome"] == "done"


def test_past_its_deadline_a_request_is_overdue_for_good(case: Case) -> None:
    number = case.ask()
    (command,) = case.commands()
    case.town.rows("UPDATE data_request SET deadline = now() - interval '1 minute' WHERE request_no = :no", no=number)
    with case.town.runtime.work() as work:
        work.later("exchange.overdue", None)
    case.town.drain_all("exchange.overdue")
    overdue = case.answer(number)
    assert overdue is not None and (overdue["outcome"], overdue["code"]) == ("unknown", "overdue")
    case.hospital_answers(command, case.rows())
    assert case.answer(number) == overdue
