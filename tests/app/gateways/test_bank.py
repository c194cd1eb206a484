"""The bank's client against the bank's double."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest

from app.core.errors import PartnerFault
from app.gateways.bank import Bank, BankTransfer
from app.gateways.http import Http
from mock_partners.bank import Bank as Double
from tests.app.world import make_world

CARD = "6222021234567890128"


@dataclass(frozen=True)
class At:
    url: str
    secret: str = field(repr=False)


@pytest.fixture(scope="module")
def world() -> dict[str, Any]:
    return make_world() | {"platform": {"exchange_url": "http://127.0.0.1:9"}, "business_date": "2026-11-21"}


@pytest.fixture
def double(world: dict[str, Any]) -> Iterator[Double]:
    double = Double(world)
    double.start()
    double.app.test_client().post("/__mock__/settings", json={"finish_after_s": 0})
    yield double
    double.stop()


@pytest.fixture
def at(double: Double, world: dict[str, Any]) -> At:
    return At(double.url, world["bank"]["outbound_secret"])


@pytest.fixture
def client() -> Bank:
    return Bank(Http("bank", 0.5))


def order(world: dict[str, Any], out_no: str = "tf1", **other: Any) -> BankTransfer:
    given: dict[str, Any] = {
        "out_no": out_no, "from_account": world["insurers"][0]["bank_account"], "to_account": CARD, "to_name": "张三",
        "amount_fen": 12_345, "remark": "理赔款",
    }  # fmt: skip
    return BankTransfer(**given | other)


def test_the_same_order_again_is_the_same_transfer(client: Bank, at: At, double: Double, world: dict[str, Any]) -> None:
    first, again = (client.transfer(at, order(world)) for _ in range(2))
    assert first == again and first["status"] == "succeeded"
    assert len(double.memory.load("transfers")) == 1
    with pytest.raises(PartnerFault) as raised:
        client.transfer(at, order(world, amount_fen=1))
    assert (raised.value.code, raised.value.permanent) == ("out_no_reused", True)


def test_a_query_finds_it_or_says_that_there_is_none(client: Bank, at: At, world: dict[str, Any]) -> None:
    assert client.query(at, "q1", "tf1") is None
    client.transfer(at, order(world))
    found = client.query(at, "q2", "tf1")
    assert found is not None and found["status"] == "succeeded"


@pytest.mark.parametrize(
    "fault", [{"status": 404}, {"status": 404, "body": {"code": "no_route"}}, {"status": 500}, {"drop": "after"}]
)
def test_only_the_banks_own_word_proves_that_there_is_none(
    client: Bank, at: At, double: Double, fault: dict[str, Any]
) -> None:
    """A proxy's 404 must not lead to a second transfer."""
    double.fail("/query$", **fault)
    with pytest.raises(PartnerFault):
        client.query(at, "q1", "tf1")


@pytest.mark.parametrize("fault", [{"drop": "before"}, {"drop": "after"}, {"status": 504}, {"delay_s": 1.0}])
def test_a_lost_answer_is_unknown(
    client: Bank, at: At, double: Double, world: dict[str, Any], fault: dict[str, Any]
) -> None:
    double.fail("/v1/transfers$", **fault)
    with pytest.raises(PartnerFault) as raised:
        client.transfer(at, order(world))
    assert raised.value.unknown and not raised.value.permanent


def test_the_statement_of_a_day(client: Bank, at: At, world: dict[str, Any]) -> None:
    client.transfer(at, order(world))
    lines = client.statement(at, "s1", date(2026, 11, 21)).decode().splitlines()
    assert lines[1].split(",")[1] == "tf1" and lines[-1].startswith("#TRAILER,1,")


def test_a_transfers_repr_names_nobody(world: dict[str, Any]) -> None:
    text = repr(order(world))
    assert "张三" not in text and CARD not in text and world["insurers"][0]["bank_account"] not in text
