"""The insurer over HTTP: from eligibility to payout notice, with everything asked for twice."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import httpx
import pytest

from mock_partners.books import clearing_no
from mock_partners.insurer.server import Insurer
from tests.mock_partners.insurer.conftest import OUTBOUND, open_insurer
from tests.mock_partners.insurer.packages import DAY, PERSON, bill, claim, line, parts, policy, seal, sent
from tests.mock_partners.wire import Exchange, Signed, secret, wait_until

NUMBER = clearing_no(DAY, 1)


def decided(exchange: Exchange, count: int = 1) -> dict[str, Any]:
    return exchange.wait_for("claim.adjudicated", count)[count - 1]


def supplement(body: dict[str, Any], request_no: str, kinds: list[str], **wrong: Any) -> dict[str, Any]:
    """The answer to a request for documents: the next version of the package in `body`, one file for each kind."""
    before = body["package"]
    listed = [
        {"request_no": request_no, "kind": kind, "title": kind, "sha256": hashlib.sha256(kind.encode()).hexdigest()}
        for kind in kinds
    ]
    root = wrong.get("previous_root", before["manifest"]["root"])
    package = seal(before["parts"] | {"supplements": listed}, version=2, previous_root=root)
    files = tuple(kind.encode() for kind in wrong.get("files", kinds))
    return {"request_no": request_no, "package": sent(package, files)}


def test_unsigned_and_wrongly_signed_calls_are_refused(insurer: Insurer, platform: Signed) -> None:
    assert httpx.post(f"{insurer.url}/v1/claims", json={}).status_code == 401
    assert httpx.get(f"{insurer.url}/v1/ledger?business_date={DAY}").status_code == 401
    stranger = Signed(insurer.url, secret("stranger"))
    answer = stranger.post("/v1/eligibility", {})
    assert (answer.status_code, answer.json()["code"]) == (401, "signature_invalid")


@pytest.mark.parametrize(
    "headers", [{"webhook-signature": "v1"}, {"webhook-signature": "v1,é"}, {"webhook-timestamp": "x"}]
)
def test_malformed_signatures_are_refused_and_no_error(platform: Signed, headers: dict[str, str]) -> None:
    sent = [(k.encode(), v.encode()) for k, v in {**platform.headers("{}"), **headers}.items()]
    answer = platform.http.post(f"{platform.url}/v1/claims", content=b"{}", headers=sent)
    assert answer.status_code == 401


def test_eligibility_names_policies_with_all_reasons(platform: Signed) -> None:
    platform.control(
        "policies", [policy(policy_no="P2", excluded_diagnoses=["J06"], hospitals=["H2"], ceiling_fen=500)]
    )
    asked = {
        "request_no": "R1",
        "hospital_code": "H1",
        "person": PERSON,
        "on": DAY,
        "bills": [
            {"clearing_no": NUMBER, "started_on": DAY, "diagnoses": [{"code": "J06.900"}]},
            {"clearing_no": clearing_no(DAY, 2), "started_on": "2025-12-31", "diagnoses": []},
        ],
    }
    answer = platform.post("/v1/eligibility", asked).json()
    assert answer["insured"] is True
    first, second = answer["policies"]
    assert (first["in_scope"], [r["code"] for r in first["reasons"]]) == (True, ["outside_cover"])
    assert [b["in_scope"] for b in first["bills"]] == [True, False]
    assert second["in_scope"] is False
    assert [r["code"] for r in second["bills"][0]["reasons"]] == ["hospital_not_covered", "excluded_diagnosis"]
    assert second["ceiling_left_fen"] == 500


@pytest.mark.parametrize(
    "other", [{"document_no": "110105194912310038"}, {"name": "王芳"}, {"birth_date": "1950-01-01"}]
)
def test_somebody_else_is_not_insured(platform: Signed, other: dict[str, str]) -> None:
    asked = {"request_no": "R1", "hospital_code": "H1", "person": {**PERSON, **other}, "on": DAY, "bills": []}
    assert platform.post("/v1/eligibility", asked).json() == {"insured": False, "policies": []}


def test_malformed_values_are_refused_and_no_error(platform: Signed) -> None:
    asked = {"request_no": "R1", "hospital_code": "H1", "person": PERSON, "on": "yesterday", "bills": []}
    assert platform.post("/v1/eligibility", asked).status_code == 422
    assert platform.post("/v1/claims", []).status_code == 422
    assert (
        platform.post(
            "/v1/claims", {"claim_no": 1, "policy_no": {}, "package": {"manifest": 1, "parts": 2}}
        ).status_code
        == 422
    )


def test_a_claim_is_opened_and_decided(platform: Signed, exchange: Exchange) -> None:
    body = claim([bill([line(1, 100_00), line(2, 50_00, "丙")], fund_fen=30_00)])
    answer = platform.post("/v1/claims", body)
    assert answer.status_code == 202
    decision = decided(exchange)
    assert exchange.of("claim.case_opened") == [{"claim_no": "CL1", "case_no": answer.json()["case_no"]}]
    assert (decision["outcome"], decision["approved_fen"], decision["appealable"]) == ("partly", 72_00, True)
    assert [one["approved_fen"] for one in decision["lines"]] == [72_00, 0]
    assert {r["code"] for r in decision["lines"][1]["reasons"]} == {"self_funded", "paid_by_fund"}
    assert decision["lines"][0]["ratio"] == "0.90"


def test_the_same_claim_again_is_the_same_case(platform: Signed, exchange: Exchange) -> None:
    body = claim([bill([line(1, 100_00)])])
    first = platform.post("/v1/claims", body).json()
    decided(exchange)
    assert platform.post("/v1/claims", {**body, "remainders": [{"clearing_no": NUMBER, "max_fen": 1}]}).json() == first
    other = claim([bill([line(1, 100_01)])])
    assert platform.post("/v1/claims", other).json()["code"] == "version_reused"
    assert len(exchange.of("claim.adjudicated")) == 1


def test_one_clearing_number_stands_in_one_claim(platform: Signed) -> None:
    platform.post("/v1/claims", claim([bill([line(1, 100_00)])]))
    answer = platform.post("/v1/claims", claim([bill([line(1, 100_00)])], claim_no="CL2"))
    assert (answer.status_code, answer.json()["code"]) == (409, "clearing_no_used")


def test_unknown_policy_and_other_person(platform: Signed) -> None:
    bills = [bill([line(1, 100_00)])]
    assert platform.post("/v1/claims", claim(bills, policy_no="P9")).json()["code"] == "policy_unknown"
    other = claim(bills, insured={**PERSON, "name": "王芳"})
    assert platform.post("/v1/claims", other).json()["code"] == "not_insured"


def test_documents_are_asked_for_once(platform: Signed, exchange: Exchange) -> None:
    platform.control("policies", [policy(asks_documents=True)])
    body = claim([bill([line(1, 100_00)])])
    platform.post("/v1/claims", body)
    asked = exchange.wait_for("claim.documents_requested")[0]
    kinds = [item["kind"] for item in asked["items"]]
    path, number = "/v1/claims/CL1/documents", asked["request_no"]
    assert platform.post(path, supplement(body, number, kinds[:1])).json()["code"] == "documents_incomplete"
    lost = supplement(body, number, kinds, files=kinds[1:])
    assert platform.post(path, lost).json()["code"] == "documents_incomplete"
    assert platform.post(path, supplement(body, "R0", kinds)).json()["code"] == "request_unknown"
    assert platform.post(path, supplement(body, number, kinds, previous_root="0")).json()["code"] == "version_unknown"
    full = supplement(body, number, kinds)
    assert platform.post(path, full).status_code == 202
    assert decided(exchange)["outcome"] == "approved"
    assert platform.post(path, full).status_code == 202
    assert len(exchange.of("claim.documents_requested")) == 1


def test_a_waiting_period_refuses_every_line_and_an_appeal_upholds_it(platform: Signed, exchange: Exchange) -> None:
    platform.control("policies", [policy(rejects=True)])
    platform.post("/v1/claims", claim([bill([line(1, 100_00), line(2, 1_00, "丙")])]))
    decision = decided(exchange)
    assert (decision["outcome"], decision["approved_fen"]) == ("rejected", 0)
    assert [r["code"] for r in decision["lines"][1]["reasons"]] == ["waiting_period", "self_funded"]
    assert platform.post("/v1/claims/CL1/acceptance", {}).json()["code"] == "nothing_to_accept"
    assert platform.post("/v1/claims/CL1/appeal", {"lines": [], "reason": "复核"}).status_code == 202
    again = decided(exchange, 2)
    assert (again["outcome"], again["supersedes"], again["appealable"]) == ("rejected", decision["decision_no"], False)
    assert again["lines"][0]["reasons"][-1]["code"] == "appeal_upheld"


def test_an_appealed_line_that_was_doubted_is_covered(platform: Signed, exchange: Exchange) -> None:
    platform.control("policies", [policy(doubts_largest=True)])
    platform.post("/v1/claims", claim([bill([line(1, 10_00), line(2, 90_00), line(3, 5_00, "丙")])]))
    first = decided(exchange)
    assert (first["outcome"], first["approved_fen"]) == ("partly", 9_00)
    assert [one["appealable"] for one in first["lines"]] == [False, True, False]
    unknown = {"lines": [{"clearing_no": NUMBER, "line_no": 9}], "reason": "x"}
    assert platform.post("/v1/claims/CL1/appeal", unknown).json()["code"] == "line_unknown"
    named = {"lines": [{"clearing_no": NUMBER, "line_no": 2}], "reason": "病历已说明"}
    assert [platform.post("/v1/claims/CL1/appeal", named).status_code for _ in range(2)] == [202, 202]
    second = decided(exchange, 2)
    assert (second["approved_fen"], second["supersedes"]) == (90_00, first["decision_no"])
    other = {"lines": [{"clearing_no": NUMBER, "line_no": 3}], "reason": "x"}
    assert platform.post("/v1/claims/CL1/appeal", other).json()["code"] == "not_appealable"


def test_doubtful_codes_wait_for_an_appeal(platform: Signed, exchange: Exchange) -> None:
    platform.control("policies", [policy(doubtful_codes=["MRI"], excluded_codes=["COSM"])])
    lines = [line(1, 10_00, code="MRI-1"), line(2, 20_00, code="COSM-2"), line(3, 30_00)]
    platform.post("/v1/claims", claim([bill(lines)]))
    assert decided(exchange)["approved_fen"] == 27_00
    platform.post("/v1/claims/CL1/appeal", {"lines": [], "reason": "复核"})
    assert decided(exchange, 2)["approved_fen"] == 36_00


def test_withdrawal_before_the_decision_only_and_its_reversal_is_booked(platform: Signed, exchange: Exchange) -> None:
    platform.control("settings", {"delay_s": 30.0})
    platform.post("/v1/claims", claim([bill([line(1, 100_00)], fund_fen=40_00)]))
    reversal = {"reversals": [{"clearing_no": clearing_no(DAY, 2), "original_clearing_no": NUMBER}]}
    assert [platform.post("/v1/claims/CL1/withdrawal", reversal).status_code for _ in range(2)] == [202, 202]
    rows = platform.get("/v1/ledger", f"business_date={DAY}").text.splitlines()[1:-1]
    assert [row.split(",")[:5] for row in rows] == [
        [NUMBER, "pay", "", "6000", "booked"],
        [clearing_no(DAY, 2), "reverse", NUMBER, "6000", "booked"],
    ]
    platform.control("settings", {"delay_s": 0.0})
    platform.post("/v1/claims", claim([bill([line(1, 100_00)], ordinal=3)], claim_no="CL2"))
    decided(exchange)
    assert platform.post("/v1/claims/CL2/withdrawal", {"reversals": []}).json()["code"] == "already_decided"


def test_deductible_and_ceiling_last_over_claims(platform: Signed, exchange: Exchange) -> None:
    platform.control("policies", [policy(ratio="1", deductible_fen=30_00, ceiling_fen=100_00)])
    for no in (1, 2):
        platform.post("/v1/claims", claim([bill([line(1, 100_00)], ordinal=no)], claim_no=f"CL{no}"))
        decided(exchange, no)
    assert [d["approved_fen"] for d in exchange.of("claim.adjudicated")] == [70_00, 30_00]
    asked = {"request_no": "R1", "hospital_code": "H1", "person": PERSON, "on": DAY, "bills": []}
    left = platform.post("/v1/eligibility", asked).json()["policies"][0]
    assert (left["deductible_left_fen"], left["ceiling_left_fen"]) == (0, 0)


def test_remainders_bound_what_is_approved(platform: Signed, exchange: Exchange) -> None:
    body = {**claim([bill([line(1, 100_00)])]), "remainders": [{"clearing_no": NUMBER, "max_fen": 12_34}]}
    platform.post("/v1/claims", body)
    decision = decided(exchange)
    assert (decision["approved_fen"], decision["outcome"]) == (12_34, "partly")


def test_payout_notices_never_exceed_the_decision(platform: Signed, exchange: Exchange) -> None:
    platform.post("/v1/claims", claim([bill([line(1, 100_00)])]))
    decided(exchange)
    path, at = "/v1/claims/CL1/payout", f"{DAY}T03:00:00Z"
    paid = {"payout_no": "PO1", "amount_fen": 90_00, "status": "succeeded", "at": at}
    assert [platform.post(path, paid).status_code for _ in range(2)] == [202, 202]
    assert platform.post(path, {**paid, "payout_no": "PO2"}).json()["code"] == "over_approved"
    assert platform.post(path, {**paid, "status": "returned"}).status_code == 202
    assert platform.post(path, paid).status_code == 202, "a late notice is taken and changes nothing"
    assert platform.post(path, {**paid, "payout_no": "PO2"}).status_code == 202
    assert platform.post(path, {**paid, "payout_no": "PO2", "amount_fen": 1}).json()["code"] == "payout_differs"


def test_a_bill_that_was_amended_loses_no_more_than_was_approved_and_stays_booked(
    platform: Signed, exchange: Exchange
) -> None:
    platform.post("/v1/claims", claim([bill([line(1, 100_00)])]))
    made = decided(exchange)
    lost = {
        "recovery_no": f"{NUMBER}-1", "clearing_no": NUMBER, "decision_no": made["decision_no"],
        "reason": "bill_amended", "status": "waiting", "lost_fen": 30_00, "share_fen": 20_00, "due_fen": 0,
    }  # fmt: skip
    again = {**lost, "recovery_no": f"{NUMBER}-2", "lost_fen": made["approved_fen"] - 30_00}

    def said(body: dict[str, Any]) -> str | None:
        answer = platform.post("/v1/claims/CL1/recovery", body)
        return None if answer.status_code == 202 else answer.json()["code"]

    assert said({name: value for name, value in lost.items() if name != "lost_fen"}) == "malformed"
    assert said({**lost, "due_fen": 21_00}) == said({**lost, "lost_fen": 0, "share_fen": 0}) == "malformed"
    assert said({**lost, "recovery_no": NUMBER}) == "clearing_no_used"
    assert said({**lost, "decision_no": "another"}) == "over_approved"
    assert [said(lost), said(lost), said({**lost, "lost_fen": 31_00})] == [None, None, "recovery_differs"]
    assert said({**again, "lost_fen": again["lost_fen"] + 1}) == "over_approved"
    assert said({**lost, "status": "void"}) is None
    ledger = platform.get("/v1/ledger", f"business_date={DAY}").text
    assert f"{NUMBER},pay,," in ledger and f"{NUMBER}-1" not in ledger
    paid = {"payout_no": "PO1", "amount_fen": made["approved_fen"], "status": "succeeded", "at": f"{DAY}T03:00:00Z"}
    assert platform.post("/v1/claims/CL1/payout", paid).json()["code"] == "over_approved"
    assert platform.post("/v1/claims/CL1/payout", {**paid, "amount_fen": paid["amount_fen"] - 30_00}).status_code == 202
    assert said(again) is None


def test_the_next_version_replaces_the_package_while_undecided(platform: Signed, exchange: Exchange) -> None:
    platform.control("policies", [policy(asks_documents=True)])
    body = claim([bill([line(1, 100_00)]), bill([line(1, 5_00)], ordinal=2)])
    case_no = platform.post("/v1/claims", body).json()["case_no"]
    exchange.wait_for("claim.documents_requested")
    content = parts([bill([line(1, 90_00)])])
    loose = {**body, "package": seal(content, version=2, previous_root="0" * 64)}
    assert platform.post("/v1/claims", loose).json()["code"] == "version_unknown"
    root = body["package"]["manifest"]["root"]
    answer = platform.post("/v1/claims", {**body, "package": seal(content, version=2, previous_root=root)})
    assert answer.json() == {"case_no": case_no}
    assert decided(exchange)["approved_fen"] == 81_00
    rows = platform.get("/v1/ledger", f"business_date={DAY}").text.splitlines()[1:-1]
    assert [row.split(",")[3] for row in rows] == ["9000"]


def test_ledger_has_a_trailer_and_may_be_late_or_spoiled(platform: Signed) -> None:
    platform.post("/v1/claims", claim([bill([line(1, 100_00)])]))
    query = f"business_date={DAY}"
    answer = platform.get("/v1/ledger", query)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    body, trailer = answer.text.rsplit("#TRAILER,", 1)
    assert trailer.strip() == f"1,10000,{hashlib.sha256(body.encode()).hexdigest()}"
    platform.control("settings", {"ledger_fault": "sha256"})
    assert platform.get("/v1/ledger", query).text != answer.text
    platform.control("settings", {"ledger_not_ready": [DAY]})
    assert platform.get("/v1/ledger", query).json()["code"] == "ledger_not_ready"


def test_totals_are_offered_only_where_they_are_switched_on(platform: Signed) -> None:
    query = f"business_date={DAY}"
    assert platform.get("/v1/ledger/totals", query).status_code == 404
    platform.control("settings", {"ledger_totals": True})
    told = platform.get("/v1/ledger/totals", query).json()
    trailer = platform.get("/v1/ledger", query).text.splitlines()[-1].split(",")
    assert [told["count"], told["amount_fen"]] == [int(trailer[1]), int(trailer[2])]
    assert len(told["sha256"]) == 64
    platform.control("settings", {"totals_fault": "no sha256"})
    assert "sha256" not in platform.get("/v1/ledger/totals", query).json()
    platform.control("settings", {"ledger_not_ready": [DAY]})
    assert platform.get("/v1/ledger/totals", query).json()["code"] == "ledger_not_ready"


def test_altered_books_are_reported_row_by_row(platform: Signed) -> None:
    platform.post("/v1/claims", claim([bill([line(1, 100_00)], ordinal=no) for no in range(1, 5)]))
    query = f"business_date={DAY}"
    before = platform.get("/v1/ledger", query).text.splitlines()[1:-1]
    body = {"business_date": DAY, "seed": 7}
    report = platform.control("alter", body).json()
    assert platform.control("alter", body).json() == report
    assert httpx.get(f"{platform.url}/__mock__/altered").json() == report
    after = platform.get("/v1/ledger", query).text.splitlines()[1:-1]
    changed = {row.split(",")[0] for row in set(before) ^ set(after)}
    assert changed == {one["clearing_no"] for one in report}
    assert sorted(one["what"] for one in report) == ["added", "amount", "dropped", "status"]
    assert (
        platform.control("alter", {"business_date": DAY, "seed": 1, "drop": [clearing_no(DAY, 99)]}).status_code == 422
    )


def test_a_restarted_insurer_remembers_and_goes_on(exchange: Exchange, tmp_path: Path) -> None:
    first = open_insurer(exchange, tmp_path)
    platform = Signed(first.url, OUTBOUND)
    platform.control("policies", [policy()])
    platform.control("settings", {"delay_s": 0.3})
    body = claim([bill([line(1, 100_00)])])
    case_no = platform.post("/v1/claims", body).json()["case_no"]
    first.stop()
    second = open_insurer(exchange, tmp_path)
    assert Signed(second.url, OUTBOUND).post("/v1/claims", body).json()["case_no"] == case_no
    assert decided(exchange)["case_no"] == case_no
    wait_until(second.idle)
    second.stop()


def test_messages_are_sent_again_under_the_same_id_until_taken(
    insurer: Insurer, platform: Signed, exchange: Exchange
) -> None:
    exchange.fail("/messages", status=503, times=2)
    exchange.fail("/messages", drop="after", contains="claim.adjudicated")
    platform.post("/v1/claims", claim([bill([line(1, 100_00)])]))
    wait_until(insurer.idle)
    ids = [message_id for message_id, what, _ in exchange.taken if what == "claim.adjudicated"]
    assert len(ids) == 2
    assert len(set(ids)) == 1


def test_a_sender_may_double_every_message(insurer: Insurer, platform: Signed, exchange: Exchange) -> None:
    platform.control("settings", {"sender": {"duplicate": 1.0, "late": 1.0, "late_s": 0.05, "seed": 3}})
    platform.post("/v1/claims", claim([bill([line(1, 100_00)])]))
    exchange.wait_for("claim.adjudicated", 2)
    wait_until(insurer.idle)
    assert len(exchange.taken) == 4
    assert len({message_id for message_id, _, _ in exchange.taken}) == 2
