"""The bank: one transfer per number, failures and returns by the payee's account, a statement that adds up."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from mock_partners.bank import Bank
from mock_partners.books import luhn_digit
from tests.mock_partners.wire import SECRETS, Exchange, Signed, secret, wait_until

DAY = "2026-11-21"
OUTBOUND = secret("bank out")
FROM = "6200000000000001"
BODY = "622202000000000"
TO = BODY + luhn_digit(BODY)


def open_bank(exchange: Exchange, state_dir: Path) -> Bank:
    world = {
        "business_date": DAY,
        "platform": {"exchange_url": exchange.url},
        "insurers": [{"bank_account": FROM}],
        "bank": {"code": "B1", "partner": "B1-core", "secret": SECRETS["B1-core"], "outbound_secret": OUTBOUND},
    }
    bank = Bank(world, state_dir=state_dir, first_balance_fen=1_000_00)
    bank.start()
    return bank


@pytest.fixture
def bank(exchange: Exchange, tmp_path: Path) -> Iterator[Bank]:
    double = open_bank(exchange, tmp_path)
    yield double
    double.stop()


@pytest.fixture
def platform(bank: Bank) -> Signed:
    client = Signed(bank.url, OUTBOUND)
    client.control("settings", {"finish_after_s": 0.02, "return_after_s": 0.02})
    return client


def order(out_no: str = "PO1", **more: Any) -> dict[str, Any]:
    return {
        "out_no": out_no,
        "from_account": FROM,
        "to_account": TO,
        "to_name": "王芳",
        "amount_fen": 100_00,
        "remark": "理赔款",
        **more,
    }


def statement(platform: Signed) -> list[list[str]]:
    text = platform.get("/v1/statements", f"date={DAY}").text
    body, trailer = text.rsplit("#TRAILER,", 1)
    rows = [line.split(",") for line in body.splitlines()[1:]]
    total = sum(int(row[5]) for row in rows)
    assert trailer.strip() == f"{len(rows)},{total},{hashlib.sha256(body.encode()).hexdigest()}"
    return rows


def test_only_signed_orders_are_taken(bank: Bank) -> None:
    assert httpx.post(f"{bank.url}/v1/transfers", json=order()).status_code == 401
    assert Signed(bank.url, secret("stranger")).post("/v1/transfers", order()).status_code == 401


def test_a_transfer_is_accepted_and_finished_later(platform: Signed, exchange: Exchange) -> None:
    answer = platform.post("/v1/transfers", order())
    assert (answer.status_code, answer.json()["status"]) == (200, "accepted")
    finished = exchange.wait_for("bank.transfer_finished")
    assert finished == [{"out_no": "PO1", "status": "succeeded", "reason": ""}]
    wait_until(lambda: platform.post("/v1/transfers/query", {"out_no": "PO1"}).json()["status"] == "succeeded")
    assert [row[2:7] for row in statement(platform)] == [["transfer", FROM, TO, "10000", "succeeded"]]


def test_the_same_number_moves_money_once(platform: Signed, bank: Bank) -> None:
    first = platform.post("/v1/transfers", order()).json()
    assert platform.post("/v1/transfers", order()).json()["bank_no"] == first["bank_no"]
    answer = platform.post("/v1/transfers", order(amount_fen=1))
    assert (answer.status_code, answer.json()["code"]) == (409, "out_no_reused")
    assert bank.table("accounts")[FROM]["balance_fen"] == 900_00
    assert platform.post("/v1/transfers/query", {"out_no": "PO9"}).status_code == 404


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"to_account": TO[:-1] + str((int(TO[-1]) + 1) % 10)}, "account_invalid"),
        ({"to_name": "李娜"}, "name_mismatch"),
        ({"amount_fen": 1_000_01}, "insufficient_balance"),
    ],
)
def test_what_cannot_be_paid_fails_at_once(platform: Signed, how: dict[str, Any], reason: str) -> None:
    platform.control("cards", [{"account": TO, "name": "王芳"}])
    answer = platform.post("/v1/transfers", order(**how)).json()
    assert (answer["status"], answer["reason"]) == ("failed", reason)
    assert [row[6] for row in statement(platform)] == ["failed"]


def test_a_closed_account_fails(platform: Signed, bank: Bank) -> None:
    platform.control("cards", [{"account": TO, "name": "王芳", "state": "closed"}])
    assert platform.post("/v1/transfers", order()).json()["reason"] == "account_closed"
    assert bank.table("accounts")[FROM]["balance_fen"] == 1_000_00


def test_money_comes_back_from_some_accounts(platform: Signed, exchange: Exchange, bank: Bank) -> None:
    platform.control("cards", [{"account": TO, "name": "王芳", "state": "returns"}])
    platform.control("settings", {"finish_after_s": 0})
    assert platform.post("/v1/transfers", order()).json()["status"] == "succeeded"
    assert exchange.wait_for("bank.returned") == [{"out_no": "PO1", "reason": "returned"}]
    wait_until(bank.idle)
    assert bank.table("accounts")[FROM]["balance_fen"] == 1_000_00
    assert [row[2] for row in statement(platform)] == ["transfer", "return"]
    assert exchange.of("bank.transfer_finished") == []


@pytest.mark.parametrize("amount", [0, -1, 1.5, True, "1", None])
def test_amounts_are_whole_positive_fen(platform: Signed, amount: object) -> None:
    answer = platform.post("/v1/transfers", order(amount_fen=amount))
    assert (answer.status_code, answer.json()["code"]) == (422, "amount_invalid")


def test_unknown_payer_and_malformed_orders(platform: Signed) -> None:
    assert platform.post("/v1/transfers", order(from_account="1")).json()["code"] == "from_account_unknown"
    assert platform.post("/v1/transfers", {"out_no": "PO1"}).json()["code"] == "malformed"
    assert platform.post("/v1/transfers", {**order(), "out_no": []}).status_code == 422


def test_a_restarted_bank_finishes_what_it_accepted(exchange: Exchange, tmp_path: Path) -> None:
    first = open_bank(exchange, tmp_path)
    platform = Signed(first.url, OUTBOUND)
    platform.control("settings", {"finish_after_s": 0.3})
    platform.post("/v1/transfers", order())
    first.stop()
    second = open_bank(exchange, tmp_path)
    assert exchange.wait_for("bank.transfer_finished")[0]["out_no"] == "PO1"
    wait_until(second.idle)
    assert second.table("accounts")[FROM]["balance_fen"] == 900_00
    second.stop()
