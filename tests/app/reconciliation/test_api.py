"""The night over HTTP: who may do what, what is shown to whom, and how differences are worked through."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.app.reconciliation.kit import DAY, UP_TO_THE_REPORT, Night, number


@pytest.fixture
def seen(night: Night) -> dict[str, Any]:
    """A run with a row missing at I1, one of H2 missing at I2, and a wrong amount of H1."""
    night.book(range(1, 4))
    night.book(range(4, 7), "H2", "I2")
    night.drop_insurer("I1", number(1))
    night.drop_insurer("I2", number(4))
    night.hospitals["H1"][DAY][number(2)]["amount_fen"] = 201
    return night.run()


def _id(seen: dict[str, Any], kind: str, clearing_no: str) -> str:
    return next(d["id"] for d in seen["differences"] if (d["kind"], d["clearing_no"]) == (kind, clearing_no))


def test_an_operator_starts_a_run_and_reads_it(night: Night) -> None:
    night.book(range(1, 3))
    answer = night.post("/runs", {"business_date": DAY.isoformat(), "wait_s": 60})
    assert (answer.status_code, answer.get_json()["status"]) == (202, "collecting")
    night.serve()
    night.drain_all(*UP_TO_THE_REPORT)
    found = night.get(f"/runs/{answer.get_json()['id']}").get_json()
    assert (found["status"], found["sets"]["111"], found["attempt"]) == ("balanced", 2, 1)
    listed = night.get(f"/runs?business_date={DAY}").get_json()["items"]
    assert [(item["id"], item["status"]) for item in listed] == [(found["id"], "balanced")]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid"),
        ({"business_date": "2027-01-01"}, "date_in_future"),
        ({"business_date": "2026-11-20", "wait_s": 0}, "invalid"),
        ({"business_date": "2026-11-20", "hospital": "I1"}, "hospital_unknown"),
        ({"business_date": "2026-11-20", "party": "I1"}, "invalid"),
    ],
)
def test_a_wrong_wish_is_refused_clearly(night: Night, body: dict[str, Any], code: str) -> None:
    answer = night.post("/runs", body)
    assert (answer.status_code, answer.get_json()["code"]) == (422, code)


def test_only_finance_may_look_and_only_the_platform_s_may_act(night: Night, seen: dict[str, Any]) -> None:
    claims = night.operator(role="claims")
    assert night.get("/runs", headers=claims).status_code == 403
    assert night.get("/runs", headers={"X-Nothing": "-"}).status_code == 401
    partner = night.operator(party="I1")
    assert night.post("/runs", {"business_date": DAY.isoformat()}, headers=partner).status_code == 403
    one = _id(seen, "presence", number(1))
    assert night.post(f"/differences/{one}/resolve", {"reason": "已核对"}, headers=partner).status_code == 403


def test_a_partner_s_people_see_their_own_part_alone(night: Night, seen: dict[str, Any]) -> None:
    found = night.seen(uuid.UUID(seen["id"]), party="I2")
    assert {party["code"] for party in found["parties"]} == {"I2", "platform"}
    assert [(g["hospital"], g["insurer"]) for g in found["groups"]] == [("H2", "I2")]
    assert (found["sets"]["111"], found["sets"]["110"], found["amount_differs"]) == (2, 1, 0)
    assert [d["clearing_no"] for d in found["differences"]] == [number(4)]
    assert (found["counts"], found["checks"]) == ({}, {})
    partner = night.operator(party="I2")
    items = night.get("/differences", headers=partner).get_json()["items"]
    assert [item["clearing_no"] for item in items] == [number(4)]
    foreign = _id(seen, "presence", number(1))
    assert night.get(f"/differences/{foreign}", headers=partner).status_code == 404


def test_differences_are_filtered_and_paged(night: Night, seen: dict[str, Any]) -> None:
    def numbers(query: str) -> list[str]:
        return [item["clearing_no"] for item in night.get(f"/differences?{query}").get_json()["items"]]

    assert set(numbers(f"business_date={DAY}")) == {number(1), number(2), number(4)}
    assert numbers("kind=amount") == [number(2)]
    assert set(numbers("status=suspended")) == {number(1), number(4)}
    assert numbers("hospital=H2") == numbers("insurer=I2") == numbers(f"clearing_no={number(4)}") == [number(4)]
    assert numbers(f"run_id={seen['id']}&kind=status") == []
    first = night.get("/differences?limit=2").get_json()
    second = night.get(f"/differences?limit=2&cursor={first['next_cursor']}").get_json()
    assert (len(first["items"]), len(second["items"]), second["next_cursor"]) == (2, 1, None)


def _agreed(night: Night, difference_id: str) -> str:
    """Two operators resolve it; its status then."""
    answers = [night.post(f"/differences/{difference_id}/resolve", {"reason": "保险公司已补记"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    return str(answers[1].get_json()["status"])


def test_a_difference_says_what_to_do_and_tells_its_history(night: Night, seen: dict[str, Any]) -> None:
    one = _id(seen, "presence", number(1))
    assert _agreed(night, one) == "resolved"
    found = night.get(f"/differences/{one}").get_json()
    assert (found["set"], found["cause_text"]) == ("110", "保险公司账中没有")
    assert (found["hospital_fen"], found["platform_fen"], found["insurer_fen"]) == (100, 100, None)
    moves = [(item["from_status"], item["to_status"], item["actor_kind"]) for item in found["history"]]
    assert moves == [
        (None, "suspended", "system"),
        ("suspended", "assigned", "operator"),
        ("assigned", "proposed", "operator"),
        ("proposed", "resolved", "operator"),
    ]


def test_a_resolved_difference_that_a_rerun_still_sees_opens_again_and_keeps_its_handling(
    night: Night, seen: dict[str, Any]
) -> None:
    one = _id(seen, "presence", number(1))
    _agreed(night, one)
    night.run()
    found = night.get(f"/differences/{one}").get_json()
    assert (found["status"], found["reason"]) == ("open", "保险公司已补记")
    assert found["owner_id"] is not None and found["note"] == "第2次对账仍然存在"


@pytest.mark.parametrize(("kind", "ordinal"), [("amount", 2), ("presence", 1)])
def test_what_is_about_money_needs_a_second_person(night: Night, seen: dict[str, Any], kind: str, ordinal: int) -> None:
    one, first, second = _id(seen, kind, number(ordinal)), night.operator(), night.operator()
    reason = {"reason": "医院更正金额"}
    assert night.post(f"/differences/{one}/resolve", reason, headers=first).get_json()["status"] == "proposed"
    alone = night.post(f"/differences/{one}/resolve", reason, headers=first)
    assert (alone.status_code, alone.get_json()["code"]) == (409, "second_person_needed")
    assert night.post(f"/differences/{one}/decline", headers=second).get_json()["status"] == "assigned"
    night.post(f"/differences/{one}/resolve", reason, headers=first)
    assert night.post(f"/differences/{one}/resolve", reason, headers=second).get_json()["status"] == "resolved"
    again = night.post(f"/differences/{one}/resolve", reason, headers=second)
    assert (again.status_code, again.get_json()["code"]) == (409, "difference_ended")


def test_several_are_resolved_with_one_reason_or_none_is(night: Night, seen: dict[str, Any]) -> None:
    ids = [_id(seen, "presence", number(1)), _id(seen, "presence", number(4))]
    unknown = night.post("/differences/resolve", {"ids": [*ids, str(uuid.uuid4())], "reason": "已核对"})
    assert unknown.status_code == 404
    assert {row.status for row in night.differences().values()} == {"suspended", "open"}
    for status in ("proposed", "resolved"):  # each time another operator
        answer = night.post("/differences/resolve", {"ids": ids, "reason": "已核对"})
        assert [item["status"] for item in answer.get_json()["items"]] == [status, status]
    many = night.post("/differences/resolve", {"ids": [str(uuid.uuid4())] * 101, "reason": "已核对"})
    assert many.status_code == 422


def test_an_unknown_run_or_difference_is_not_found(night: Night) -> None:
    for path in (f"/runs/{uuid.uuid4()}", f"/differences/{uuid.uuid4()}", "/differences?hospital=H9"):
        assert night.get(path).status_code == 404
    assert night.post(f"/differences/{uuid.uuid4()}/assign").status_code == 404
