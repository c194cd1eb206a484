"""The S200 counter, message by message: what it takes, what it refuses, and that a trade number has one effect."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mock_partners.books import clearing_no
from mock_partners.insurer_s200.server import InsurerS200
from tests.mock_partners.insurer.packages import DAY, PERSON, policy
from tests.mock_partners.wire import SECRETS, Signed, secret, wait_until

OUTBOUND = secret("insurer out")
NUMBER = clearing_no(DAY, 1)
WHO = {"name": PERSON["name"], "certNo": PERSON["document_no"], "birthday": PERSON["birth_date"]}
FILE = {
    "indemnitySign": "0",
    "policyNo": "P1",
    "hospitalCode": "H1",
    "person": WHO,
    "visitNo": "V1",
    "startTime": f"{DAY} 10:00:00",
    "diagnoses": [{"code": "J06.900"}],
}
SETTLEMENT = {
    "totalAmount": "30.00",
    "fundAmount": "10.00",
    "accountAmount": "0.00",
    "selfPayAmount": "20.00",
    "receipts": [{"code": "31"}],
}
APPLICATION: dict[str, Any] = {
    "claimNo": "CL1", "policyNo": "P1", "packageVersion": 1, "packageRoot": "r", "visits": [NUMBER], "remainders": [],
    "documents": [],
}  # fmt: skip


def fees(*amounts: str) -> dict[str, Any]:
    return {
        "fees": [
            {"feeNo": str(number), "amount": amount, "quantity": "-1" if amount.startswith("-") else "1",
             "code": f"D{number}", "insuranceClass": "甲"}
            for number, amount in enumerate(amounts, 1)
        ]
    }  # fmt: skip


class Counter:
    """The platform at the counter: each message under a new trade number, unless it is said."""

    def __init__(self, url: str) -> None:
        self.signed, self.count = Signed(url, OUTBOUND), 0

    def send(self, kind: str, body: Any, *, number: str = NUMBER, trade: str = "", records: int = 1) -> Any:
        self.count += 1
        head = {
            "businessId": number, "sendTradeNum": trade or f"T{self.count}", "sender": "H1", "receiver": "I1",
            "intermediary": "ZHIPEI", "businessType": kind, "recordCount": records, "sendTime": f"{DAY} 10:00:00",
        }  # fmt: skip
        answer = self.signed.post("/s200", {"head": head, "body": body}).json()
        return answer["head"]["resultCode"], answer["body"]

    def ok(self, kind: str, body: Any, **how: Any) -> Any:
        code, said = self.send(kind, body, **how)
        assert code == "0000", f"{kind}: {code}"
        return said

    def settled(self) -> None:
        self.ok("S210", FILE)
        self.ok("S250", fees("20.00", "10.00"), records=2)
        self.ok("S291", SETTLEMENT)

    def applied(self) -> None:
        self.settled()
        self.ok("S300", APPLICATION, number="CL1")

    def status(self) -> Any:
        return self.ok("S300", {"claimNo": "CL1"}, number="CL1")


def open_insurer(state_dir: Path) -> InsurerS200:
    entry = {"code": "I1", "partner": "I1-core", "secret": SECRETS["I1-core"], "outbound_secret": OUTBOUND}
    double = InsurerS200(entry, {"exchange_url": "http://127.0.0.1:9"}, state_dir=state_dir)
    double.start()
    return double


@pytest.fixture
def insurer(tmp_path: Path) -> Iterator[InsurerS200]:
    double = open_insurer(tmp_path)
    yield double
    double.stop()


@pytest.fixture
def counter(insurer: InsurerS200) -> Counter:
    made = Counter(insurer.url)
    made.signed.control("settings", {"delay_s": 0.0})
    made.signed.control("policies", [policy()])
    return made


def wait(insurer: InsurerS200) -> None:
    wait_until(insurer.idle)


def test_it_does_not_speak_the_native_dialect(counter: Counter) -> None:
    for path in ("/v1/eligibility", "/v1/claims", "/v1/claims/CL1/withdrawal"):
        assert counter.signed.post(path, {}).status_code == 404
    assert Signed(counter.signed.url, secret("stranger")).post("/s200", {}).status_code == 401


def test_a_trial_stores_nothing_and_a_settlement_explains_itself(counter: Counter, insurer: InsurerS200) -> None:
    counter.ok("S210", FILE)
    counter.ok("S250", fees("20.00", "10.00"), records=2)
    tried = counter.ok("S290", SETTLEMENT)
    assert (tried["commercialPay"], tried["fundPay"], tried["personalPay"]) == ("18.00", "10.00", "2.00")
    assert tried["notImmediateReason"] and "90%" in tried["calculation"]
    assert insurer.memory.load("visits")[NUMBER]["state"] == "open"
    assert counter.ok("S291", SETTLEMENT) == tried
    assert insurer.memory.load("visits")[NUMBER]["state"] == "settled"
    assert not insurer.memory.load("books"), "nothing is booked before it is claimed"


def test_a_claim_is_booked_decided_accepted_and_its_payout_noted(counter: Counter, insurer: InsurerS200) -> None:
    counter.applied()
    wait(insurer)
    said = counter.status()
    assert (said["caseStatus"], said["finalAmount"]) == ("3", "18.00")
    [visit] = said["visits"]
    assert (visit["businessId"], visit["accumulatedAmount"], visit["residualAmount"]) == (
        NUMBER, "18.00", "5999982.00")  # fmt: skip
    counter.ok("S310", {"claimNo": "CL1", "accepted": True}, number="CL1")
    paid = {"claimNo": "CL1", "payoutNo": "PO1", "amount": "18.00", "status": "succeeded", "time": f"{DAY} 11:00:00"}
    counter.ok("ZP01", paid, number="CL1")
    assert counter.send("ZP01", paid | {"payoutNo": "PO2"}, number="CL1")[0] == "3012", "more than was approved"
    assert counter.send("S240", {})[0] == "3007" and counter.send("S270", {})[0] == "3007"
    [row] = insurer.memory.load("books").values()
    assert (row["clearing_no"], row["amount_fen"]) == (NUMBER, 2_000)


def test_the_same_trade_number_is_the_same_message(counter: Counter, insurer: InsurerS200) -> None:
    counter.ok("S210", FILE)
    first = counter.ok("S250", fees("20.00"), trade="X1")
    assert counter.ok("S250", fees("20.00"), trade="X1") == first
    assert counter.send("S250", fees("21.00"), trade="X1")[0] == "2003"
    assert counter.send("S260", fees("20.00"), trade="X1")[0] == "2003"
    assert len(insurer.memory.load("visits")[NUMBER]["fees"]) == 1


def test_a_message_that_was_refused_may_come_again_under_its_number(counter: Counter, insurer: InsurerS200) -> None:
    assert counter.signed.control("refusals", {"business_type": "S210", "code": "1001"}).status_code == 200
    assert counter.send("S210", FILE, trade="X1")[0] == "1001"
    counter.ok("S210", FILE, trade="X1")
    assert insurer.memory.load("visits").keys() == {NUMBER}


@pytest.mark.parametrize(
    ("kind", "body", "how", "code"),
    [
        ("S999", {}, {}, "2001"),
        ("S210", FILE | {"indemnitySign": "1"}, {"number": clearing_no(DAY, 2)}, "3003"),
        ("S210", FILE | {"policyNo": "P9"}, {"number": clearing_no(DAY, 2)}, "3002"),
        ("S210", FILE | {"person": WHO | {"name": "李四"}}, {"number": clearing_no(DAY, 2)}, "3001"),
        ("S210", FILE, {"number": "123"}, "3011"),
        ("S210", FILE, {}, "3006"),
        ("S210", {}, {"number": clearing_no(DAY, 2)}, "2001"),
        ("S200", {"person": WHO | {"name": "李四"}}, {}, "3001"),
        ("S250", fees(*["1.00"] * 101), {"records": 101}, "2002"),
        ("S250", fees("1.00", "2.00"), {"records": 3}, "2001"),
        ("S250", fees("1.001"), {}, "2001"),
        ("S250", fees("20.01"), {}, "2001"),
        ("S250", {"fees": [fees("1.00")["fees"][0] | {"quantity": "-1"}]}, {}, "2001"),
        ("S250", fees("1.00"), {"number": clearing_no(DAY, 2)}, "3004"),
        ("S290", SETTLEMENT | {"totalAmount": "30.01"}, {}, "3005"),
        ("S291", SETTLEMENT | {"selfPayAmount": "19.99"}, {}, "3005"),
        ("S291", SETTLEMENT | {"receipts": []}, {}, "2001"),
        ("S300", APPLICATION, {"number": "CL1"}, "3006"),
        ("S300", APPLICATION | {"visits": []}, {"number": "CL1"}, "3006"),
        ("S300", {"claimNo": "CL9"}, {"number": "CL9"}, "3008"),
        ("S310", {"claimNo": "CL9", "accepted": True}, {"number": "CL9"}, "3008"),
        ("S340", {"records": []}, {}, "2001"),
    ],
)
def test_what_does_not_hold_is_refused(counter: Counter, kind: str, body: Any, how: dict[str, Any], code: str) -> None:
    counter.ok("S210", FILE)
    counter.ok("S250", fees("20.00", "10.00"), records=2)
    assert counter.send(kind, body, **how)[0] == code


def test_a_message_without_a_head_is_malformed(counter: Counter) -> None:
    headless: list[Any] = [{}, [], {"head": {}, "body": {}}, {"head": "x", "body": {}}]
    for message in headless:
        assert counter.signed.post("/s200", message).json()["head"]["resultCode"] == "2001"


def test_fees_are_taken_back_and_a_file_changed_before_it_is_settled(counter: Counter, insurer: InsurerS200) -> None:
    counter.ok("S210", FILE)
    counter.ok("S250", fees("1.00"))
    counter.ok("S260", {})
    counter.ok("S230", FILE | {"visitNo": "V2"})
    counter.ok("S250", fees("20.00", "10.00"), records=2)
    counter.ok("S291", SETTLEMENT)
    assert insurer.memory.load("visits")[NUMBER]["file"]["visitNo"] == "V2"
    assert counter.send("S230", FILE)[0] == "3006" and counter.send("S260", {})[0] == "3006"
    counter.ok("S240", {})
    counter.ok("S210", FILE)  # cancelled, it may be opened anew


def test_a_file_stands_in_one_claim(counter: Counter) -> None:
    counter.applied()
    assert counter.send("S300", APPLICATION | {"claimNo": "CL2"}, number="CL2")[0] == "3011"


def test_a_withdrawn_case_is_reversed_under_its_own_number_and_never_decided(
    counter: Counter, insurer: InsurerS200
) -> None:
    counter.signed.control("settings", {"delay_s": 0.3})
    counter.applied()
    counter.ok("S270", {"cancelNo": clearing_no(DAY, 7)})
    counter.ok("S240", {})
    wait(insurer)
    assert counter.status()["caseStatus"] == "6"
    rows = insurer.memory.load("books")
    assert rows[clearing_no(DAY, 7)]["original_clearing_no"] == NUMBER and len(rows) == 2
    assert not insurer.book.case("CL1")["decisions"]


def test_documents_come_file_by_file_and_the_last_one_moves_the_case(counter: Counter, insurer: InsurerS200) -> None:
    kinds = ("invoice", "report")
    counter.signed.control("policies", [policy(asks_documents=[{"kind": kind, "text": kind} for kind in kinds])])
    counter.applied()
    wait(insurer)
    said = counter.status()
    assert said["caseStatus"] == "2" and [one["kind"] for one in said["materials"]] == list(kinds)
    assert counter.status()["materialsUntil"] == said["materialsUntil"]
    hello = {"title": "t", "sha256": "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
             "content": "aGVsbG8="}  # fmt: skip
    spoilt = {"claimNo": "CL1", "supplement": True, "records": [hello | {"recordType": "invoice", "sha256": "0"}]}
    assert counter.send("S340", spoilt, number="CL1")[0] == "3010"
    for kind, status in zip(kinds, ("2", "3"), strict=True):
        supplement = {"claimNo": "CL1", "supplement": True, "records": [hello | {"recordType": kind}]}
        counter.ok("S340", supplement, number="CL1")
        wait(insurer)
        assert counter.status()["caseStatus"] == status


def test_what_it_was_told_it_still_knows_after_a_restart(
    counter: Counter, insurer: InsurerS200, tmp_path: Path
) -> None:
    counter.applied()
    wait(insurer)
    before = counter.status()
    insurer.stop()
    again = open_insurer(tmp_path)
    try:
        assert Counter(again.url).send("S300", {"claimNo": "CL1"}, number="CL1", trade="after")[1] == before
        repeated = Counter(again.url)
        assert repeated.send("S210", FILE, trade="T1")[0] == "0000", "the first message, known by its number"
    finally:
        again.stop()
