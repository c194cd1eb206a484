"""What patients read: their own bills, visits and reports, and nobody else's."""

from __future__ import annotations

from typing import Any

import pytest

from app.identity import service as identity
from tests.app.patients import House, Known, refusal
from tests.app.record import kit


@pytest.fixture
def patient(house: House) -> Known:
    return house.known()


def numbered(house: House, patient: Known) -> str:
    """The patient's number at H1."""
    number = kit.key("P")
    with house.runtime.work() as work:
        identity.set_patient_number(work, house.hospital_id(), number, patient.person_id)
    return number


def listed(patient: Known, what: str, more: str = "") -> Any:
    answer = patient.get(f"/{what}?person_id={patient.person_id}{more}")
    assert answer.status_code == 200, answer.get_json()
    return answer.get_json()


def test_a_patient_reads_bill_lines_visit_and_report(house: House, patient: Known) -> None:
    whole = kit.whole(numbered(house, patient))
    house.apply(list(whole.values()))
    (bill,) = listed(patient, "bills")["items"]
    assert (bill["total_fen"], bill["borne_fen"], bill["refused"], bill["e_bill_state"]) == (1000, 400, None, "issued")
    detail = patient.get(f"/bills/{bill['id']}").get_json()
    assert [(line["line_no"], line["unit_price"], line["amount_fen"]) for line in detail["lines"]] == [
        (1, "5.000000", 1000)
    ]
    assert [visit["department_name"] for visit in listed(patient, "visits")["items"]] == ["内科"]
    (report,) = listed(patient, "reports")["items"]
    assert "summary" not in report
    assert patient.get(f"/reports/{report['id']}").get_json()["summary"] == "白细胞升高"
    read = "SELECT actor_id FROM audit_entry WHERE subject_id = :id AND action = 'read.report.summary_sealed'"
    assert [str(row.actor_id) for row in house.rows(read, id=report["id"])] == [str(patient.account_id)]


def test_a_refused_bill_says_why(house: House, patient: Known) -> None:
    house.apply(list(kit.whole(numbered(house, patient), fund_fen=1).values()))
    (bill,) = listed(patient, "bills")["items"]
    assert bill["refused"] == "统筹、账户与自付之和不等于总额"


def test_strangers_see_nothing(house: House, patient: Known) -> None:
    house.apply(list(kit.whole(numbered(house, patient)).values()))
    bill, report = listed(patient, "bills")["items"][0], listed(patient, "reports")["items"][0]
    stranger = house.known()
    numbered(house, stranger)
    for path in (f"bills/{bill['id']}", f"reports/{report['id']}"):
        assert refusal(stranger.get(f"/{path}"), 404)
    for what in ("bills", "visits", "reports"):
        assert refusal(stranger.get(f"/{what}?person_id={patient.person_id}"), 404)
        assert listed(stranger, what)["items"] == []
    assert house.client.get(f"/api/v1/bills/{bill['id']}").status_code == 401


def test_rows_of_a_number_that_nobody_is_bound_to_are_not_there(house: House, patient: Known) -> None:
    whole = kit.whole(kit.key("P"))
    house.apply(list(whole.values()))
    bill_id = house.value("SELECT id FROM bill WHERE key = :key", key=whole["bill"]["key"])
    assert refusal(patient.get(f"/bills/{bill_id}"), 404)


def test_pages_follow_the_hospitals_dates(house: House, patient: Known) -> None:
    number = numbered(house, patient)
    days = ["2026-11-03", "2026-11-05", "2026-11-01", "2026-11-05", "2026-11-02"]
    for day in days:
        whole = kit.whole(number, billed_on=day)
        moment = {"started_at": f"{day}T08:00:00+08:00"}
        whole["visit"] = {**whole["visit"], "data": whole["visit"]["data"] | moment}
        whole["report"] = {**whole["report"], "data": whole["report"]["data"] | {"at": moment["started_at"]}}
        house.apply(list(whole.values()))
    for what, when in (("bills", "billed_on"), ("visits", "started_at"), ("reports", "at")):
        seen: list[str] = []
        cursor = ""
        while cursor is not None:
            page = listed(patient, what, f"&limit=2{cursor}")
            assert len(page["items"]) <= 2
            seen += [item[when][:10] for item in page["items"]]
            cursor = f"&cursor={page['next_cursor']}" if page["next_cursor"] else None  # type: ignore[assignment]
        assert len(seen) == 5 and seen == sorted(seen, reverse=True), (what, seen)
