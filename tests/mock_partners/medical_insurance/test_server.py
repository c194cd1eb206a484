"""The interface over HTTP: order of calls, numbers, limits, and answers that get lost or come late."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from mock_partners.latency import Latency
from mock_partners.medical_insurance.server import MedicalInsurance
from tests.mock_partners.medical_insurance.conftest import CARD, WHO, Caller, asking, fees
from tests.mock_partners.wire import wait_until

LINES = [("甲", "100.00"), ("乙", "40.01"), ("丙", "9.99"), ("甲", "-20.00")]
TOTAL = "130.00"


def settle(caller: Caller, mdtrt_id: str, ours: str = "S1", **more: Any) -> Any:
    return caller.do("2207", asking(mdtrt_id, TOTAL, out_setl_no=ours), **more)["setlinfo"]


def tried(caller: Caller, visit: str = "V1") -> str:
    mdtrt_id = caller.uploaded(LINES, visit)
    caller.do("2206", asking(mdtrt_id, TOTAL))
    return mdtrt_id


def test_a_visit_is_tried_and_settled(caller: Caller) -> None:
    mdtrt_id = caller.uploaded(LINES)
    trial = caller.do("2206", asking(mdtrt_id, TOTAL))["setlinfo"]
    # 甲 80.00 -> 64.00; 乙 40.01, first 6.00, of 34.01 70 % = 23.81; account 10.00 of 26.20 in scope
    assert trial == {
        "mdtrt_id": mdtrt_id,
        "medfee_sumamt": TOTAL,
        "fund_pay_sumamt": "87.81",
        "acct_pay": "10.00",
        "psn_cash_pay": "32.19",
    }
    settled = settle(caller, mdtrt_id)
    assert {**trial, "setl_id": settled["setl_id"]} == settled
    assert caller.do("1101", {"data": WHO})["insuinfo"][0]["balc"] == "0.00"
    assert caller.do("ZP02", {"data": {"out_setl_no": "S1"}}) == {"found": True, "state": "settled", **settled}
    assert caller.do("ZP02", {"data": {"out_setl_no": "S2"}}) == {"found": False}


def test_the_order_of_calls_is_enforced(caller: Caller) -> None:
    mdtrt_id = caller.registered()
    assert caller.refused("2204", {"feedetail": fees(mdtrt_id, LINES)}) == "ORDER"
    assert caller.refused("2206", asking(mdtrt_id, TOTAL)) == "ORDER"
    caller.do("2203", {"mdtrtinfo": {"mdtrt_id": mdtrt_id}, "diseinfo": [{"diag_code": "J06"}]})
    assert caller.refused("2206", asking(mdtrt_id, TOTAL)) == "ORDER"
    caller.do("2204", {"feedetail": fees(mdtrt_id, LINES)})
    assert caller.refused("2207", asking(mdtrt_id, TOTAL, out_setl_no="S1")) == "ORDER"
    assert caller.refused("2206", asking("000000000099", TOTAL)) == "NOTFOUND"
    assert Caller(caller.url, "H2").refused("2206", asking(mdtrt_id, TOTAL)) == "NOTFOUND"


def test_fees_are_uploaded_once_and_revoked_before_a_change(caller: Caller) -> None:
    mdtrt_id = tried(caller)
    assert caller.refused("2204", {"feedetail": fees(mdtrt_id, LINES)}) == "DUPLICATE"
    assert caller.refused("2206", asking(mdtrt_id, "130.01")) == "AMOUNT"
    for _ in range(2):
        caller.do("2205", {"data": {"mdtrt_id": mdtrt_id, "chrg_bchno": "B1"}})
    result = caller.do("2204", {"feedetail": fees(mdtrt_id, [("乙", "1.00")])})["result"][0]
    assert (result["preselfpay_amt"], result["inscp_scp_amt"]) == ("0.15", "0.85")
    assert caller.refused("2207", asking(mdtrt_id, "1.00", out_setl_no="S1")) == "ORDER", "changed fees are tried anew"
    spoiled = [*fees(mdtrt_id, [("甲", "1.00")], "B2"), *fees(mdtrt_id, [("丁", "1.00")], "B3")]
    assert caller.refused("2204", {"feedetail": spoiled}) == "INPUT"
    assert caller.refused("2206", {"data": {**asking(mdtrt_id, "1.00")["data"], "chrg_bchno": "B2"}}) == "ORDER"


def test_the_same_visit_is_the_same_treatment_until_cancelled(caller: Caller) -> None:
    first = caller.registered()
    assert caller.registered() == first
    assert caller.registered("V2") != first
    caller.do("2202", {"data": {"mdtrt_id": first}})
    assert caller.registered() != first


@pytest.mark.parametrize("other", [{"psn_name": "李娜"}, {"certno": "11010519491231003X"}, {"mdtrt_cert_no": ""}])
def test_another_person_is_refused(caller: Caller, other: dict[str, str]) -> None:
    given = {"data": {**WHO, **other, "ipt_otp_no": "V9"}}
    assert caller.refused("2201", given) in ("PERSON", "INPUT")


def test_unknown_cards_are_enrolled_unless_enrolment_is_closed(caller: Caller) -> None:
    newcomer = {**WHO, "mdtrt_cert_no": "310000198001015678"}
    balance = caller.do("1101", {"data": newcomer})["insuinfo"][0]["balc"]
    assert balance == caller.do("1101", {"data": newcomer})["insuinfo"][0]["balc"]
    caller.control("settings", {"open_enrolment": False})
    assert caller.refused("1101", {"data": {**WHO, "mdtrt_cert_no": "31"}}) == "PERSON"
    caller.control("cards", [{"card_no": CARD, "insured": False}])
    assert caller.refused("1101", {"data": WHO}) == "PERSON"


def test_settling_twice_under_one_number_is_once(caller: Caller) -> None:
    mdtrt_id = tried(caller)
    settle(caller, mdtrt_id)
    assert caller.refused("2207", asking(mdtrt_id, TOTAL, out_setl_no="S1")) == "SETTLED"
    assert caller.refused("2207", asking(mdtrt_id, TOTAL, out_setl_no="S2")) == "SETTLED"
    assert caller.refused("2206", asking(mdtrt_id, TOTAL)) == "SETTLED"
    other = tried(caller, "V2")
    assert caller.refused("2207", asking(other, TOTAL, out_setl_no="S1")) == "DUPLICATE"
    assert caller.refused("2202", {"data": {"mdtrt_id": mdtrt_id}}) == "SETTLED"


def test_amounts_that_are_no_longer_right_are_refused(caller: Caller) -> None:
    first, second = tried(caller), tried(caller, "V2")
    settle(caller, first)
    assert caller.refused("2207", asking(second, TOTAL, out_setl_no="S2", acct_pay="10.00")) == "AMOUNT"
    assert settle(caller, second, "S2")["acct_pay"] == "0.00"


def test_reversing_gives_the_account_its_money_back(caller: Caller) -> None:
    mdtrt_id = tried(caller)
    setl_id = settle(caller, mdtrt_id)["setl_id"]
    undo = {"data": {"setl_id": setl_id, "mdtrt_id": mdtrt_id}}
    caller.do("2208", undo)
    assert caller.refused("2208", undo) == "SETTLED"
    assert caller.do("1101", {"data": WHO})["insuinfo"][0]["balc"] == "10.00"
    assert caller.do("ZP02", {"data": {"out_setl_no": "S1"}})["state"] == "reversed"
    assert caller.refused("2207", asking(mdtrt_id, TOTAL, out_setl_no="S1")) == "SETTLED"
    caller.do("2206", asking(mdtrt_id, TOTAL))
    assert settle(caller, mdtrt_id, "S2")["setl_id"] != setl_id


def test_a_message_nobody_saw_answered_is_undone_by_its_id(caller: Caller) -> None:
    mdtrt_id = tried(caller)
    settle(caller, mdtrt_id, msgid="lost-1")
    caller.do("2601", {"data": {"omsgid": "lost-1", "oinfno": "2207"}})
    caller.do("2601", {"data": {"omsgid": "never-sent", "oinfno": "2207"}})
    assert caller.do("ZP02", {"data": {"out_setl_no": "S1"}})["state"] == "reversed"


def test_the_self_pay_part_is_told_once_and_must_be_right(caller: Caller) -> None:
    mdtrt_id = tried(caller)
    settled = settle(caller, mdtrt_id)
    told = {"setl_id": settled["setl_id"], "payment_no": "PAY1", "psn_cash_pay": settled["psn_cash_pay"]}
    for _ in range(2):
        caller.do("ZP01", {"data": told})
    assert caller.refused("ZP01", {"data": {**told, "psn_cash_pay": "0.01"}}) == "AMOUNT"
    assert caller.refused("ZP01", {"data": {**told, "payment_no": "PAY2"}}) == "DUPLICATE"
    assert caller.refused("ZP01", {"data": {**told, "setl_id": "x"}}) == "NOTFOUND"


def test_accounts_agree_or_name_the_row(caller: Caller) -> None:
    settled = settle(caller, tried(caller))
    days = {"stmt_begndate": "2026-11-21", "stmt_enddate": "2026-11-21"}
    totals = {name: settled[name] for name in ("medfee_sumamt", "fund_pay_sumamt", "acct_pay")}
    ours = {**days, **totals, "fixmedins_setl_cnt": "1"}
    assert caller.do("3201", {"data": ours})["stmtinfo"]["stmt_rslt"] == "0"
    assert caller.do("3201", {"data": {**ours, "acct_pay": "0.01"}})["stmtinfo"]["stmt_rslt"] == "1"
    rows = [{"setl_id": settled["setl_id"], **totals, "acct_pay": "0.01"}, {"setl_id": "x", **totals}]
    results = {row["setl_id"]: row["stmt_rslt"] for row in caller.do("3202", {"data": {**days, "rows": rows}})["rows"]}
    assert results == {settled["setl_id"]: "1", "x": "2"}
    assert caller.do("3202", {"data": {**days, "rows": []}})["rows"][0]["stmt_rslt"] == "3"


def test_the_limit_counts_every_arrival_and_names_violations(caller: Caller) -> None:
    mdtrt_id = caller.uploaded(LINES)
    caller.control("settings", {"n": 2, "window_s": 0.4})
    codes = [caller.send("2206", asking(mdtrt_id, TOTAL)).json()["err_msg"].split(" ")[0] for _ in range(3)]
    assert codes == ["", "", "RATE"]
    time.sleep(0.45)
    caller.do("2206", asking(mdtrt_id, TOTAL))
    arrivals = httpx.get(f"{caller.url}/__mock__/arrivals").json()
    assert [row["accepted"] for row in arrivals] == [True, True, False, True]
    assert httpx.get(f"{caller.url}/__mock__/violations").json()["count"] == 1


def test_headers_say_when_the_request_came_and_was_answered(caller: Caller) -> None:
    mdtrt_id = caller.uploaded(LINES)
    caller.control("settings", {"latency": {"kind": "fixed", "s": 0.1}})
    answer = caller.send("2206", asking(mdtrt_id, TOTAL))
    received, answered = int(answer.headers["X-Received-Ms"]), int(answer.headers["X-Answered-Ms"])
    assert 100 <= answered - received < 2000
    assert httpx.get(f"{caller.url}/__mock__/arrivals").json()[-1]["at_ms"] == received


def test_latency_is_repeatable_and_capped() -> None:
    settings = {"kind": "lognormal", "median_s": 0.2, "sigma": 0.8, "seed": 5, "max_s": 0.6}
    first, second = Latency(settings), Latency(settings)
    drawn = [first.next_s() for _ in range(200)]
    assert drawn == [second.next_s() for _ in range(200)]
    assert max(drawn) == 0.6
    assert 0.15 < sorted(drawn)[100] < 0.27
    with pytest.raises(ValueError, match="fixed"):
        Latency({"kind": "other"})


def test_a_lost_answer_has_done_its_work(interface: MedicalInsurance, caller: Caller) -> None:
    mdtrt_id = tried(caller)
    interface.fail_infno("2207", drop="after")
    with pytest.raises(httpx.TransportError):
        caller.send("2207", asking(mdtrt_id, TOTAL, out_setl_no="S1"), msgid="m-1")
    found = caller.do("ZP02", {"data": {"out_setl_no": "S1"}})
    assert found["state"] == "settled"
    assert settle(caller, mdtrt_id, msgid="m-1")["setl_id"] == found["setl_id"]


def test_a_late_commit_comes_after_the_error_and_is_one_arrival(interface: MedicalInsurance, caller: Caller) -> None:
    mdtrt_id = tried(caller)
    fault = {"infno": "2207", "status": 504, "late": True, "delay_s": 0.2}
    assert caller.control("faults/infno", fault)["infno"] == "2207"
    assert caller.send("2207", asking(mdtrt_id, TOTAL, out_setl_no="S1")).status_code == 504
    assert caller.do("ZP02", {"data": {"out_setl_no": "S1"}}) == {"found": False}
    wait_until(lambda: caller.do("ZP02", {"data": {"out_setl_no": "S1"}})["found"])
    other = caller.uploaded(LINES, "V2")
    before = len(interface.gate.rows())
    interface.fail_infno("2206", status=504, late=True)
    caller.send("2206", asking(other, TOTAL))
    wait_until(lambda: any(b["tried"] for b in interface.treatments.of({"mdtrt_id": other}, "H1")["batches"].values()))
    assert len(interface.gate.rows()) == before + 1


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"infno": "2206"}', b'{"infno":"2207","msgid":"1","fixmedins_code":"H1"}']
)
def test_malformed_envelopes_are_refused_and_no_error(caller: Caller, body: bytes) -> None:
    answer = caller.http.post(f"{caller.url}/fsi/api", content=body)
    assert (answer.status_code, answer.json()["infcode"]) == (200, -1)
    assert answer.json()["err_msg"].startswith("INPUT")
    assert caller.refused("9999", {}) == "INPUT"


def test_a_restarted_interface_remembers(tmp_path: Path) -> None:
    settings = {"code": "M1", "n": 5, "window_s": 60}
    first = MedicalInsurance(settings, state_dir=tmp_path)
    caller = Caller(first.start())
    setl_id = settle(caller, tried(caller))["setl_id"]
    first.stop()
    second = MedicalInsurance(settings, state_dir=tmp_path)
    caller = Caller(second.start())
    assert caller.do("ZP02", {"data": {"out_setl_no": "S1"}})["setl_id"] == setl_id
    assert len(second.gate.rows()) == 1
    second.stop()
