"""Fee lines that are stored together get the verdicts, and stand in the table, as if each had been judged alone."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from app.core.checks import tampered
from app.exchange.service import UnreadRow, canonical
from app.record import fee_lines, section
from app.record.contracts import FeeLineIn
from app.record.models import FeeLine
from tests.app.patients import House
from tests.app.record import kit
from tests.examples import costly

STORED = """
SELECT l.line_no, l.category, l.code, l.code_system, l.code_edition, l.name, l.insurance_code, l.unit_price, l.quantity,
  l.amount_fen, l.insurance_class, l.at, l.version, b.lines_fen, b.refused_reason
FROM fee_line l JOIN bill b ON b.id = l.bill_id WHERE b.key = :bill ORDER BY l.key
"""
SPOILED: list[dict[str, Any]] = [
    {},
    {"more": [{"we": "do not know"}]},
    {"unit_price": 5, "quantity": 2.0},
    {"unit_price": " 5.00 "},
    {"unit_price": "5e0", "quantity": "+2"},
    {"unit_price": "NaN"},
    {"unit_price": "1.1234567"},
    {"quantity": "1e30"},
    {"quantity": "٢"},
    {"quantity": None},
    {"at": "2026-11-20T09:30:00"},
    {"at": "2026-11-20 09:30Z"},
    {"at": "1732066200"},
    {"at": 1732066200},
    {"at": "1899-12-31T00:00:00Z"},
    {"at": "2026-11-20T09:30:00.123456789+08:00"},
    {"line_no": 0},
    {"line_no": 1.0},
    {"line_no": True},
    {"line_no": "1"},
    {"line_no": 100_001},
    {"amount_fen": 10**13 + 1},
    {"amount_fen": -(10**13)},
    {"amount_fen": 10**30},
    {"name": ""},
    {"name": "长" * 500},
    {"name": "长" * 501},
    {"name": "a\tb\\n\nc"},
    {"code": "x" * 121},
    {"code": None},
    {"insurance_code": "\\N"},
    {"insurance_code": ""},
    {"insurance_class": None},
    {"insurance_class": "丁"},
    {"category": "Drug"},
    {"bill_key": "nobody's"},
    {"bill_key": 5},
]


def applied(house: House, lines: list[dict[str, Any]], *, together: bool) -> tuple[list[Any], list[Any], int]:
    """Verdicts, stored lines, and how many of the lines were stored together."""
    v, b, mark = kit.key("v"), kit.key("b"), kit.key("m")
    rows = [
        {**line, "key": f"{mark}-{line['key']}", "data": {"bill_key": b} | line["data"]} for line in lines
    ]  # fmt: skip
    bulk = section.Section._apply_in_bulk
    done: list[int] = []

    def counted(self: Any, *given: Any) -> Any:
        places = bulk(self, *given) if together else ()
        done.extend(places)
        return places

    with mock.patch.object(section.Section, "_apply_in_bulk", counted):
        verdicts = house.apply([kit.visit(v), kit.bill(b, v), *rows])[2:]
    house.rows("DELETE FROM task WHERE kind = 'record.apply'")
    return verdicts, [tuple(row) for row in house.rows(STORED, bill=b)], len(done)


def assert_same(house: House, lines: list[dict[str, Any]]) -> int:
    *alone, none = applied(house, lines, together=False)
    *together, count = applied(house, lines, together=True)
    assert together == alone
    assert none == 0
    return count


def line(number: int, **wrong: Any) -> dict[str, Any]:
    data = kit.line(f"L{number:03d}", "?", line_no=number)
    return {**data, "data": {name: value for name, value in data["data"].items() if name != "bill_key"} | wrong}


def test_every_field_of_the_contract_is_read() -> None:
    (line,) = fee_lines.read_lines(
        {0: UnreadRow(Raw(canonical(kit.line("l", "b")["data"])), "l", "fee_line", 1)}
    ).values()
    assert set(line.__struct_fields__) == set(FeeLineIn.model_fields)


def test_good_lines_are_stored_together_and_others_judged_alone(house: House) -> None:
    good = [number for number, wrong in enumerate(SPOILED, 1) if wrong in ({}, {"name": "长" * 500})]
    assert assert_same(house, [line(number) for number in good]) == len(good)
    count = assert_same(house, [line(number, **wrong) for number, wrong in enumerate(SPOILED, 1)])
    assert len(good) < count < len(SPOILED)


@pytest.mark.parametrize("versions", [(1, 2), (2, 1), (1, 1), (1, 3, 2)])
def test_a_line_that_comes_twice_in_a_batch_is_judged_alone(house: House, versions: tuple[int, ...]) -> None:
    lines = [{**line(1, name=f"v{version}"), "version": version} for version in versions]
    assert assert_same(house, [*lines, line(2)]) == 1


def test_a_line_that_is_stored_already_is_judged_alone(house: House) -> None:
    v, b, key = kit.key("v"), kit.key("b"), kit.key("l")
    house.apply([kit.visit(v), kit.bill(b, v), kit.line(key, b)])
    more = [kit.line(f"{key}-{number:03d}", b, line_no=number + 2) for number in range(150)]
    newer = kit.line(key, b, 2, name="newer")
    assert house.apply([*more, newer]) == [("applied", None)] * 151
    assert house.apply([kit.line(key, b), *more]) == [("stale", None), *[("unchanged", None)] * 150]
    assert house.value("SELECT name FROM fee_line WHERE key = :key", key=key) == "newer"


def test_what_was_stored_together_carries_its_check_field(house: House) -> None:
    v, b = kit.key("v"), kit.key("b")
    keys = [kit.key("l") for _ in range(3)]
    house.apply([kit.visit(v), kit.bill(b, v), *(kit.line(key, b, line_no=n) for n, key in enumerate(keys, 1))])
    with house.runtime.read() as session:
        assert not list(tampered(session, house.runtime.privacy, FeeLine))
    row_id = house.rows("UPDATE fee_line SET amount_fen = 1 WHERE key = :key RETURNING id", key=keys[1])[0].id
    with house.runtime.read() as session:
        assert list(tampered(session, house.runtime.privacy, FeeLine)) == [f"fee_line:{row_id}"]
    house.rows("DELETE FROM fee_line WHERE key = :key", key=keys[1])


VALUE = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
NUMBER = st.decimals(-10_000, 10_000, places=4).map(str) | st.from_regex(r"\A[ +-]?[0-9]{0,3}\.?[0-9]{0,7}\Z")
NAMES = ["line_no", "category", "code", "name", "insurance_code", "unit_price", "quantity", "amount_fen", "at"]


@costly
@given(
    spoiled=st.lists(
        st.dictionaries(st.sampled_from(NAMES), VALUE | TEXT | NUMBER | st.datetimes().map(str), max_size=2), max_size=8
    )
)
def test_whatever_the_lines_say(house: House, spoiled: list[dict[str, Any]]) -> None:
    assert_same(house, [line(number, **wrong) for number, wrong in enumerate(spoiled, 1)])
