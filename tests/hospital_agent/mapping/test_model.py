"""One record of the source becomes one row of ours."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_agent.errors import BadValue
from hospital_agent.mapping.model import Conventions, Entity, FieldRule, join_key, split_key

CONVENTIONS = Conventions(ZoneInfo("Asia/Shanghai"), "yuan", "gb18030")


def value(rule: FieldRule, **record: Any) -> Any:
    return rule.value(record, CONVENTIONS)


def test_codes_are_looked_up_over_the_text() -> None:
    rule = FieldRule(("zt",), codes={"1": "open", "0": "stopped"})
    assert value(rule, zt=1) == "open"
    assert value(rule, zt="0 ") == "stopped"
    assert value(rule, zt=None) is None
    with pytest.raises(BadValue):
        value(rule, zt="7")


def test_a_code_table_may_have_a_default_and_a_word_for_nothing() -> None:
    assert value(FieldRule(("lx",), codes={"1": "lab"}, default="other"), lx="9") == "other"
    assert value(FieldRule(("swrq",), codes={"": True}, default=False), swrq=None) is True
    assert value(FieldRule(("swrq",), codes={"": True}, default=False), swrq="2020-01-01") is False


def test_a_false_default_is_a_default() -> None:
    assert value(FieldRule(("x",), codes={"1": True}, default=False), x="5") is False


def test_several_columns_are_joined_as_a_key_is() -> None:
    assert value(FieldRule(("a", "b")), a="B1", b=2) == "B1-2"
    assert value(FieldRule(("a", "b")), a="B1", b=None) is None


@given(*2 * [st.lists(st.text(alphabet="a1-~", min_size=1, max_size=4), min_size=3, max_size=3)])
def test_no_two_keys_are_joined_to_the_same_text(one: list[str], other: list[str]) -> None:
    joined, joined_too = (join_key(dict(enumerate(key)), (0, 1, 2), "utf8") for key in (one, other))  # type: ignore[arg-type]
    assert (joined == joined_too) is (one == other)
    assert split_key(joined, 3) == tuple(one)


def test_bills_of_two_patients_never_share_a_key() -> None:
    assert value(FieldRule(("jg", "djh")), jg="A-1", djh="2") == "A~11-2"
    assert value(FieldRule(("jg", "djh")), jg="A", djh="1-2") == "A-1~12"
    assert value(FieldRule(("djh",)), djh="A-1-2") == "A-1-2", "a single column stays as it is"


def test_a_text_of_too_few_or_too_many_parts_is_no_key() -> None:
    assert split_key("B1", 2) is None
    assert split_key("a-b-1", 2) is None
    assert split_key("a-b-1", 1) == ("a-b-1",)


def test_a_constant_needs_no_column() -> None:
    assert value(FieldRule(constant="ICD-10")) == "ICD-10"
    assert value(FieldRule()) is None


def test_a_row_without_a_key_or_an_amount_is_bad() -> None:
    entity = Entity(
        "bill", "", "t", ("id",), {"total_fen": FieldRule(("zje",), "fen")}, required=frozenset({"total_fen"})
    )
    with pytest.raises(BadValue, match="key"):
        entity.row_key({"id": " "}, CONVENTIONS)
    with pytest.raises(BadValue, match="total_fen: missing"):
        entity.data({"id": "B1", "zje": None}, CONVENTIONS)
    assert entity.data({"id": "B1", "zje": Decimal("1.20")}, CONVENTIONS) == {"total_fen": 120}


def test_every_column_is_read_once() -> None:
    entity = Entity("bill", "", "t", ("id",), {"bill_no": FieldRule(("id",))}, patient="brid", changed="xgsj")
    assert entity.columns() == ["id", "brid", "xgsj"]
