"""A settlement over which the interface never says anything usable is closed by two people, on evidence."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.app.operators import operator
from tests.app.settlement.kit import answer, settling
from tests.app.settlement.test_proof import FOUND, SETTLED, ask_interface, expire_commands, refunds
from tests.app.town import Insured, Town

NOT_SETTLED = {"outcome": "not_settled", "evidence": "市医保经办窗口 11 月 21 日书面回复：无此结算"}
STANDS = {"outcome": "settled", "setl_id": "S1", "evidence": "市医保经办窗口 11 月 21 日书面回复：已结算"}
LONG_S = 3600


@pytest.fixture
def who(town: Town) -> Insured:
    return town.insured()


@pytest.fixture
def finance(town: Town) -> dict[str, str]:
    return operator(town.runtime, "finance")


def post(town: Town, by: dict[str, str], settlement_id: str, step: str = "", body: Any = None) -> Any:
    key = {"Idempotency-Key": uuid4().hex}
    path = f"/api/v1/operator/settlements/{settlement_id}/ruling{step}"
    return town.clinic.client.post(path, json=body, headers=by | key)


def rule(town: Town, settlement_id: str, found: dict[str, Any]) -> Any:
    """Proposed by one and confirmed by another."""
    proposed = post(town, operator(town.runtime, "finance"), settlement_id, "", found)
    assert (proposed.status_code, proposed.get_json()["status"]) == (201, "proposed"), proposed.get_json()
    return post(town, operator(town.runtime, "finance"), settlement_id, "/confirm")


def reversal_that_nobody_knows(town: Town, who: Insured) -> str:
    """It stands at the interface by our number, and cannot be taken back there."""
    settlement_id = settling(town, who, town.bill(who, settled=False))
    answer(town, "settle", SETTLED | {"fund_fen": 5_000, "account_fen": 2_000})
    for _ in range(2):
        answer(town, "reverse", outcome="refused", code="settlement_not_known")
        ask_interface(town, FOUND)
    expire_commands(town, LONG_S)
    return settlement_id


def never_answered(town: Town, who: Insured) -> str:
    settlement_id = settling(town, who, town.bill(who, settled=False))
    answer(town, "settle", outcome="unknown", code="interface_timeout")
    expire_commands(town, LONG_S)
    return settlement_id


def test_a_reversal_that_is_refused_for_ever_ends_and_the_patient_gets_the_money_back(town: Town, who: Insured) -> None:
    settlement_id = reversal_that_nobody_knows(town, who)
    assert (
        post(town, operator(town.runtime, "finance"), settlement_id, "", STANDS).get_json()["code"] == "reversal_owed"
    )
    done = rule(town, settlement_id, NOT_SETTLED)
    assert (done.status_code, done.get_json()["status"]) == (200, "confirmed")
    found = who.get(f"/settlements/{settlement_id}")
    assert (found["status"], found["insurance_part"]) == ("reversed", "reversed")
    town.until(lambda: refunds(town)[-1] == ("succeeded", 3_000))
    assert town.value("SELECT count(*) FROM audit_entry WHERE action = 'settlement_ruling.confirm'") >= 1


def test_what_stands_after_all_is_told_to_hospital_and_network(town: Town, who: Insured) -> None:
    settlement_id = never_answered(town, who)
    assert who.get(f"/settlements/{settlement_id}")["insurance_part"] == "unknown"
    assert rule(town, settlement_id, STANDS).status_code == 200
    assert who.get(f"/settlements/{settlement_id}")["status"] == "settled"
    assert answer(town, "settlement_notice", at="H1")["setl_id"] == "S1"
    answer(town, "sync_self_pay")
    assert who.get(f"/settlements/{settlement_id}")["status"] == "synchronised"


def test_what_does_not_stand_is_refunded_and_a_late_answer_changes_nothing(town: Town, who: Insured) -> None:
    settlement_id = never_answered(town, who)
    assert rule(town, settlement_id, NOT_SETTLED).status_code == 200
    assert who.get(f"/settlements/{settlement_id}")["status"] == "failed"
    town.until(lambda: refunds(town)[-1] == ("succeeded", 3_000))
    assert post(town, operator(town.runtime, "finance"), settlement_id, "", STANDS).get_json()["code"] == (
        "settlement_not_stuck")  # fmt: skip


def test_nobody_rules_alone(town: Town, who: Insured, finance: dict[str, str]) -> None:
    settlement_id = never_answered(town, who)
    assert post(town, finance, settlement_id, "/confirm").get_json()["code"] == "no_ruling"
    assert post(town, finance, settlement_id, "", NOT_SETTLED).status_code == 201
    alone = post(town, finance, settlement_id, "/confirm")
    assert (alone.status_code, alone.get_json()["code"]) == (409, "second_person_needed")
    other = operator(town.runtime, "finance")
    assert post(town, other, settlement_id, "", STANDS).get_json()["code"] == "ruling_open"
    listed = town.clinic.client.get("/api/v1/operator/settlements/unfinished", headers=other).get_json()
    [mine] = [one for one in listed["items"] if one["id"] == settlement_id]
    assert (mine["ruling"]["outcome"], mine["ruling"]["evidence"]) == ("not_settled", NOT_SETTLED["evidence"])
    assert post(town, other, settlement_id, "/decline").get_json()["status"] == "declined"
    assert who.get(f"/settlements/{settlement_id}")["insurance_part"] == "unknown"
    assert post(town, other, settlement_id, "", STANDS).status_code == 201, "what was declined may be said better"


def test_strangers_find_nothing_and_others_may_not(town: Town, who: Insured) -> None:
    settlement_id = never_answered(town, who)
    hospitals = {row.code: row.id for row in town.rows("SELECT id, code FROM party WHERE kind = 'hospital'")}
    theirs, own = (operator(town.runtime, "finance", hospitals[code]) for code in ("H2", "H1"))
    for step, body in (("", NOT_SETTLED), ("/confirm", None), ("/decline", None)):
        assert post(town, theirs, settlement_id, step, body).status_code == 404
        assert post(town, operator(town.runtime, "claims"), settlement_id, step, body).status_code == 403
    assert post(town, own, settlement_id, "", NOT_SETTLED).status_code == 201


@pytest.mark.parametrize(
    "wrong",
    [
        {"outcome": "settled"},
        {"outcome": "settled", "setl_id": "  "},
        {"setl_id": "S1"},
        {"evidence": "x"},
        {"evidence": " " * 7},
        {"outcome": "maybe"},
        {"more": 1},
    ],
)
def test_a_ruling_without_its_evidence_is_refused(
    town: Town, who: Insured, finance: dict[str, str], wrong: dict[str, Any]
) -> None:
    settlement_id = settling(town, who, town.bill(who, settled=False))
    assert post(town, finance, settlement_id, "", NOT_SETTLED | wrong).status_code == 422


def test_what_is_not_stuck_is_left_to_the_interface(town: Town, who: Insured, finance: dict[str, str]) -> None:
    settlement_id = settling(town, who, town.bill(who, settled=False))
    answer(town, "settle", outcome="unknown", code="interface_timeout")
    assert post(town, finance, settlement_id, "", NOT_SETTLED).get_json()["code"] == "settlement_not_stuck"
    expire_commands(town, LONG_S)
    assert post(town, finance, settlement_id, "", NOT_SETTLED).status_code == 201
    town.drain_all("settlement.query", hurry=True)
    answer(town, "query_settlement", FOUND | {"final": True})
    late = post(town, operator(town.runtime, "finance"), settlement_id, "/confirm")
    assert (late.status_code, late.get_json()["code"]) == (409, "settlement_not_stuck")
    assert who.get(f"/settlements/{settlement_id}")["status"] == "settled" and not refunds_of(town, settlement_id)


def refunds_of(town: Town, settlement_id: str) -> list[Any]:
    query = "SELECT r.status FROM refund r JOIN settlement s ON s.payment_order_id = r.order_id WHERE s.id = :id"
    return town.rows(query, id=settlement_id)
