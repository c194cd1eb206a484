"""The authority's client against its double."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pytest

from app.core.errors import PartnerFault
from app.gateways.e_bill_authority import EBillAuthority
from app.gateways.http import Http
from mock_partners.e_bill_authority.server import EBillAuthority as Double

KEY = "authority-key"


@dataclass(frozen=True)
class EBill:
    code: str = "31010126"
    number: str = "0000000001"
    check_code: str = "abc123"
    issued_on: date = date(2026, 11, 21)


@pytest.fixture
def double() -> Iterator[Double]:
    with Double({"key": KEY}) as double:
        known = {"code": "31010126", "number": "0000000001", "check_code": "abc123", "issued_on": "2026-11-21"}
        double.enter(known | {"reversed": False})
        double.enter(known | {"number": "0000000002", "reversed": True})
        yield double


@pytest.fixture
def client(double: Double) -> EBillAuthority:
    return EBillAuthority(Http("e_bill_authority", 0.5), double.url, KEY)


@pytest.mark.parametrize(
    ("other", "answer"),
    [
        ({}, "valid"),
        ({"number": "0000000002"}, "reversed"),
        ({"number": "0000000003"}, "unknown"),
        ({"code": "31010125"}, "unknown"),
        ({"issued_on": date(2026, 11, 20)}, "unknown"),
        ({"check_code": "abc124"}, "check_code_wrong"),
    ],
)
def test_an_e_bill_is_known_by_what_stands_on_it(client: EBillAuthority, other: dict[str, Any], answer: str) -> None:
    assert client.verify(replace(EBill(), **other)) == answer


@pytest.mark.parametrize(
    ("fault", "permanent"),
    [
        ({"status": 503}, False),
        ({"drop": "before"}, False),
        ({"delay_s": 1.0}, False),
        ({"status": 200, "body": {"status": "perhaps"}}, False),
        ({"status": 200, "body": ["valid"]}, False),
        ({"status": 422}, False),
        ({"status": 422, "body": {"code": "malformed"}}, True),
    ],
)
def test_what_is_no_answer_says_nothing_of_the_e_bill(
    client: EBillAuthority, double: Double, fault: dict[str, Any], permanent: bool
) -> None:
    double.fail("/verify$", **fault)
    with pytest.raises(PartnerFault) as raised:
        client.verify(EBill())
    assert raised.value.permanent == permanent
    assert client.verify(EBill()) == "valid"


def test_a_wrong_key_is_not_for_good(double: Double) -> None:
    with pytest.raises(PartnerFault) as refused:
        EBillAuthority(Http("e_bill_authority", 0.5), double.url, "wrong").verify(EBill())
    assert (refused.value.code, refused.value.permanent) == ("key_invalid", False)


def test_number_and_check_code_are_in_no_url(client: EBillAuthority, double: Double) -> None:
    client.verify(EBill())
    [asked] = double.journal
    assert EBill.number not in asked["path"] + asked["query"] and EBill.number in asked["body"]
