"""The S200 dialect against its double: heads and trade numbers, portions of a hundred, newer versions, result codes."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from app.core.errors import PartnerFault
from app.gateways.http import Http
from app.gateways.insurer.dialects import Insurer
from app.gateways.insurer.s200 import upload
from app.gateways.insurer.s200.envelope import REFUSALS
from mock_partners.insurer_s200.server import InsurerS200
from tests.app.gateways.insurer.claims import DAY, PERSON, POLICY, bill, case_of, claim
from tests.app.gateways.insurer.test_dialects import At
from tests.app.world import make_world
from tests.mock_partners.wire import wait_until

FILES = [
    {"kind": kind, "title": kind, "sha256": sha256(kind.encode()).hexdigest(),
     "content_base64": b64encode(kind.encode()).decode()}
    for kind in ("invoice", "report")
]  # fmt: skip
QUESTION = {"request_no": "r1", "hospital_code": "H1", "person": PERSON, "on": DAY, "bills": []}


@pytest.fixture
def double() -> Iterator[InsurerS200]:
    with InsurerS200(make_world()["insurers"][0], {"exchange_url": "http://127.0.0.1:9"}) as double:
        client = double.app.test_client()
        assert client.post("/__mock__/policies", json=[POLICY]).status_code == 201
        client.post("/__mock__/settings", json={"delay_s": 0.0})
        yield double


@pytest.fixture
def at(double: InsurerS200) -> At:
    return At(double.url, make_world()["insurers"][0]["outbound_secret"], "I1", "s200")


@pytest.fixture
def client() -> Insurer:
    return Insurer(Http("insurer", 2.0))


def messages(double: InsurerS200) -> list[dict[str, Any]]:
    return [json.loads(entry["body"]) for entry in double.journal if entry["path"] == "/s200"]


def kinds(double: InsurerS200) -> list[str]:
    return [message["head"]["businessType"] for message in messages(double)]


def test_policies_are_told_with_what_is_left_and_for_how_long(client: Insurer, at: At) -> None:
    answer = client.eligibility(at, "m1", QUESTION)
    [policy] = answer["policies"]
    assert answer["insured"] and policy["in_scope"] and policy["ceiling_left_fen"] == 600_000_000
    assert (policy["ratio"], policy["deductible_left_fen"], policy["product_filing_no"]) == (None, None, None)
    late = QUESTION | {"bills": [{"started_on": "2027-01-01"}]}
    [policy] = client.eligibility(at, "m2", late)["policies"]
    assert not policy["in_scope"] and [reason["code"] for reason in policy["reasons"]] == ["outside_cover"]


def test_who_is_unknown_is_not_insured(client: Insurer, at: At) -> None:
    stranger = QUESTION | {"person": PERSON | {"name": "李四"}}
    assert client.eligibility(at, "m1", stranger) == {"insured": False, "policies": []}


def test_fees_go_by_the_hundred_and_every_head_says_who_what_and_how_many(
    client: Insurer, at: At, double: InsurerS200
) -> None:
    wanted = claim(bill([100] * 200 + [-50]), bill([300], ordinal=2))
    assert client.deliver(at, "m1", wanted)["case_no"].startswith("I1")
    assert kinds(double) == [
        "S210", "S250", "S250", "S250", "S290", "S291", "S340", "S210", "S250", "S290", "S291", "S340", "S300"
    ]  # fmt: skip
    heads = [message["head"] for message in messages(double)]
    assert [head["recordCount"] for head in heads if head["businessType"] == "S250"] == [100, 100, 1, 1]
    assert len({head["sendTradeNum"] for head in heads}) == len(heads)
    first = wanted["package"]["parts"]["bills"][0]["clearing_no"]
    assert {heads[0][name] for name in ("sender", "receiver", "intermediary")} == {"H1", "I1", "ZHIPEI"}
    assert heads[1]["businessId"] == first and heads[-1]["businessId"] == "CL1"
    opened = messages(double)[0]["body"]
    assert (opened["indemnitySign"], opened["startTime"]) == ("0", "2026-11-21 10:00:00")
    returned = messages(double)[3]["body"]["fees"][0]
    assert (returned["quantity"], returned["amount"]) == ("-1.0000", "-0.50")


def test_what_came_with_the_claim_goes_before_it_one_call_a_file(client: Insurer, at: At, double: InsurerS200) -> None:
    wanted = claim(bill([100]), bill([300], ordinal=2)) | {"documents": FILES}
    client.deliver(at, "m1", wanted)
    client.deliver(at, "m1", wanted)
    assert [trade["type"] for trade in double.memory.load("trades").values()][-3:] == ["S340", "S340", "S300"]
    assert [paper["sha256"] for paper in double.book.case("CL1")["papers"]] == [file["sha256"] for file in FILES]
    assert [set(named) for named in messages(double)[-1]["body"]["documents"]] == [
        {"recordType", "title", "sha256"}
    ] * 2


def test_a_file_that_was_changed_on_its_way_leaves_nothing_open(client: Insurer, at: At, double: InsurerS200) -> None:
    wanted = claim(bill([100])) | {"documents": [FILES[0], FILES[1] | {"content_base64": "AAAA"}]}
    with pytest.raises(PartnerFault, match="documents_refused"):
        client.deliver(at, "m1", wanted)
    [visit] = double.memory.load("visits").values()
    assert (visit["state"], visit["papers"]) == ("cancelled", []) and not double.book.cases


def test_a_claim_without_a_file_that_it_names_is_not_taken(
    client: Insurer, at: At, double: InsurerS200, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "papers", lambda claim: [])
    with pytest.raises(PartnerFault, match="documents_refused"):
        client.deliver(at, "m1", claim(bill([100])) | {"documents": FILES})
    assert not double.book.cases


def test_delivered_again_every_message_is_the_same_and_nothing_happens_twice(
    client: Insurer, at: At, double: InsurerS200
) -> None:
    wanted = claim(bill([100] * 150))
    first = client.deliver(at, "m1", wanted)
    trades = double.memory.load("trades")
    assert client.deliver(at, "m1", wanted) == first
    assert double.memory.load("trades") == trades and len(double.book.cases) == 1
    wanted["remainders"][0]["max_fen"] = 40
    assert client.deliver(at, "m1", wanted) == first, "what other policies left has changed between two tries"


def test_a_newer_version_takes_the_old_one_s_place_until_it_is_decided(
    client: Insurer, at: At, double: InsurerS200
) -> None:
    double.app.test_client().post("/__mock__/settings", json={"delay_s": 3600.0})
    first = client.deliver(at, "m1", claim(bill([100, 200])))
    assert client.deliver(at, "m2", claim(bill([100, 250]), version=2)) == first
    assert kinds(double)[6:] == ["S270", "S260", "S230", "S250", "S290", "S291", "S340", "S300"]
    [row] = double.memory.load("books").values()
    assert (row["kind"], row["amount_fen"]) == ("pay", 350)
    case = double.book.case("CL1")
    assert (case["state"], case["package_version"], case["root"]) == ("intake", 2, "root-2")
    double.book.save(case | {"state": "decided"})
    with pytest.raises(PartnerFault, match="already_decided"):
        client.deliver(at, "m3", claim(bill([100, 260]), version=3))
    assert "S240" not in kinds(double), "a refused version cancels nothing that was there before it"


def test_a_decision_of_a_bill_is_spread_over_its_lines_to_the_fen(client: Insurer, at: At, double: InsurerS200) -> None:
    wanted = claim(bill([333, 333, 334, -100], fund_fen=200), bill([70_001], ordinal=2))
    case_no = client.deliver(at, "m1", wanted)["case_no"]
    wait_until(double.idle)
    [news] = client.news(at, "n1", case_of(wanted))
    assert news.type == "claim.adjudicated" and news.data["case_no"] == case_no
    lines = news.data["lines"]
    assert [line["approved_fen"] for line in lines[:4]] == [210, 210, 210, 0] and lines[4]["approved_fen"] == 63_001
    assert news.data["approved_fen"] == sum(line["approved_fen"] for line in lines)
    assert {line["ratio"] for line in lines} == {"1"}
    texts = [reason["text"] for reason in lines[0]["reasons"]]
    assert "90%" in texts[0] and any("基金支付 2.00 元" in text for text in texts)
    assert client.news(at, "n2", case_of(wanted)) == [news], "asked again, the same decision has the same number"


def test_nothing_is_news_while_the_case_is_looked_at(client: Insurer, at: At, double: InsurerS200) -> None:
    double.app.test_client().post("/__mock__/settings", json={"delay_s": 3600.0})
    wanted = claim(bill([100]))
    client.deliver(at, "m1", wanted)
    assert client.news(at, "n1", case_of(wanted)) == []


def test_what_the_dialect_has_no_word_for_is_refused_and_not_sent(client: Insurer, at: At, double: InsurerS200) -> None:
    with pytest.raises(PartnerFault) as raised:
        client.tell(at, "m1", "CL1", "appeal", {"lines": [], "reason": "不同意"})
    assert (raised.value.code, raised.value.permanent, raised.value.unknown) == ("not_in_dialect", True, False)
    assert messages(double) == []


@pytest.mark.parametrize(
    ("code", "known_as", "permanent", "unknown"),
    [
        *[(code, known_as, True, False) for code, known_as in REFUSALS.items()],
        ("1001", "busy", False, False),
        ("1002", "s200_1002", False, True),
        ("9999", "s200_9999", False, True),
    ],
)
def test_what_a_result_code_is_known_to_mean(
    client: Insurer, at: At, double: InsurerS200, code: str, known_as: str, permanent: bool, unknown: bool
) -> None:
    double.refuse_next("S310", code)
    with pytest.raises(PartnerFault) as raised:
        client.tell(at, "m1", "CL1", "acceptance", {})
    found = raised.value
    assert (found.code, found.permanent, found.unknown) == (known_as, permanent, unknown)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ([], "foreign_answer"),
        ({"head": [], "body": {}}, "foreign_answer"),
        ({"head": {"sendTradeNum": "another", "resultCode": "0000"}, "body": {}}, "foreign_answer"),
        ({"head": {"sendTradeNum": "m1", "resultCode": "0000"}, "body": [1]}, "s200_0000"),
        ({"head": {"sendTradeNum": "m1", "resultCode": "0000"}, "body": {}}, "answer_unreadable"),
        ({"head": {"sendTradeNum": "m1", "resultCode": "0000"}, "body": {"insurers": [{"policies": [{}]}]}},
         "answer_unreadable"),
        ({"head": {"sendTradeNum": "m1", "resultCode": "0000"}, "body": {"insurers": "?"}}, "answer_unreadable"),
    ],
)  # fmt: skip
def test_an_answer_that_is_none_leaves_it_unknown(
    client: Insurer, at: At, double: InsurerS200, body: Any, code: str
) -> None:
    double.fail("/s200$", status=200, body=body)
    with pytest.raises(PartnerFault) as raised:
        client.eligibility(at, "m1", QUESTION)
    assert (raised.value.code, raised.value.unknown) == (code, True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"caseStatus": "8"},
        {"finalAmount": "0.001"},
        {"finalAmount": None},
        {"visits": [{"businessId": "2026112100000000019"}]},
        {"caseStatus": "2", "materials": [{}]},
        {"caseStatus": "2", "materials": [], "materialsUntil": "soon"},
    ],
)
def test_news_that_cannot_be_read_is_no_decision(
    client: Insurer, at: At, double: InsurerS200, wrong: dict[str, Any]
) -> None:
    wanted = claim(bill([100]))
    body = {"caseNo": "C1", "caseStatus": "3", "finalAmount": "1.00", "visits": []} | wrong
    answer = {"head": {"sendTradeNum": "n1", "resultCode": "0000"}, "body": body}
    double.fail("/s200$", status=200, body=answer)
    with pytest.raises(PartnerFault, match="answer_unreadable"):
        client.news(at, "n1", case_of(wanted))


def test_a_dialect_that_nobody_speaks_is_refused(client: Insurer, at: At) -> None:
    with pytest.raises(PartnerFault, match="dialect_unknown"):
        client.eligibility(replace(at, dialect="hl7"), "m1", QUESTION)
