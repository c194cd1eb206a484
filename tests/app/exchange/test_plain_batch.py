"""The quick reader takes nothing that the contract refuses, and reads nothing otherwise."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.strict_json import is_finite
from app.exchange import rules
from app.exchange.contracts import BatchIn
from app.exchange.plain_batch import plain_batch
from hospital_agent.batch import Batch, Row, line_of
from hospital_agent.canonical import canonical

LINE = {
    "bill_key": "B1",
    "amount_fen": -12,
    "name": '阿莫西林\t"胶囊\\',
    "unit_price": "1.2300",
    "at": None,
    "main": True,
}


def sent(text: str, **head: Any) -> str:
    """A batch around the text of its rows."""
    declared = {"batch_no": 1, "kind": "record", "business_date": "2026-11-21", "count": 1, "amount_fen": 0}
    declared |= {"sha256": sha256(text.encode()).hexdigest()} | head
    return f'{json.dumps(declared, ensure_ascii=False)[:-1]},"rows":{text}}}'


def row(data: str = "{}", key: str = '"L1"', kind: str = '"fee_line"', version: str = "1") -> str:
    return f'{{"data":{data},"key":{key},"type":{kind},"version":{version}}}'


def assert_as_the_contract(body: str) -> BatchIn | None:
    found = plain_batch(body.encode())
    if found is not None:
        read = BatchIn.model_validate_json(body)
        assert found.model_dump() == read.model_dump()
        assert found.content == rules.canonical(read.rows)
        assert is_finite(read, body)
    return found


def test_what_an_agent_sends_is_plain() -> None:
    lines = [line_of(Row("fee_line", f"L{n}", LINE), canonical(LINE), 3) for n in range(3)]
    text = f"[{','.join(line.text for line in lines)}]"
    body = Batch(7, "m1", "record", "2026-11-21", 3, 0, sha256(text.encode()).hexdigest(), text).body()
    found = assert_as_the_contract(body)
    assert found is not None and [one["data"] for one in found.rows] == [LINE] * 3


@pytest.mark.parametrize(
    "text",
    [
        "[ ]",
        f"[{row()}, {row()}]",
        f"[{row(key='5')}]",
        f"[{row(key=json.dumps('x' * 121))}]",
        f"[{row(key=chr(34) + chr(0x7F) + chr(34))}]",
        f"[{row(kind=json.dumps('ghost'))}]",
        f"[{row(version='-1')}]",
        f"[{row(version='1.0')}]",
        f"[{row(version='9223372036854775808')}]",
        f"[{row(version='true')}]",
        "[" + row('{"a":1.5}') + "]",
        "[" + row('{"a":1e400}') + "]",
        "[" + row('{"a":NaN}') + "]",
        "[" + row('{"a":[1]}') + "]",
        "[" + row('{"a":{"b":1}}') + "]",
        "[" + row('{"b":1,"a":1}') + "]",
        "[" + row('{"a":1,"a":1}') + "]",
        "[" + row('{"a":"\\u4e00"}') + "]",
        "[" + row('{"a":"\\/"}') + "]",
        "[" + row('{"a":-0}') + "]",
        "[" + row('{"a":' + "9" * 400 + "}") + "]",
        "[" + row('{"a":' + "9" * 5000 + "}") + "]",
        '[{"data":{},"key":"L1","more":1,"type":"fee_line","version":1}]',
        '[{"data":{},"type":"fee_line","version":1}]',
        "[" * 100_000,
        "null",
    ],
)
def test_what_is_not_plain_is_the_contracts(text: str) -> None:
    assert plain_batch(sent(text).encode()) is None


@pytest.mark.parametrize(
    "wrong", [{"batch_no": "1"}, {"batch_no": 0}, {"kind": "ghost"}, {"count": 1.0}, {"sha256": "x"}, {"more": 1}]
)
def test_a_head_that_is_wrong_is_the_contracts(wrong: dict[str, Any]) -> None:
    assert plain_batch(sent("[]").encode()) is not None
    assert plain_batch(sent("[]", **wrong).encode()) is None


def test_too_many_rows_are_the_contracts() -> None:
    assert plain_batch(sent(f"[{','.join([row()] * 2001)}]").encode()) is None


Value = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
Data = st.dictionaries(st.text(max_size=4), Value | st.lists(Value, max_size=2), max_size=4)
Rows = st.lists(
    st.fixed_dictionaries(
        {"data": Data, "key": st.text(max_size=6), "type": st.sampled_from(["bill", "ghost", "visit"])},
        optional={"version": st.integers(-2, 2**63), "more": Value},
    ),
    max_size=3,
)


@given(rows=Rows, ensure_ascii=st.booleans(), sort=st.booleans(), comma=st.sampled_from([",", ", "]))
def test_any_rows_in_any_writing(rows: list[Any], ensure_ascii: bool, sort: bool, comma: str) -> None:
    text = json.dumps(rows, ensure_ascii=ensure_ascii, sort_keys=sort, separators=(comma, ":"))
    assert_as_the_contract(sent(text.encode("utf-8", "ignore").decode()))


@given(data=st.data(), piece=st.sampled_from(['"', ",", "0", "1e5", " ", "}", "]", "\\", "\\n", "\x1f", "é"]))
def test_any_text_with_something_put_in_or_left_out(data: st.DataObject, piece: str) -> None:
    body = sent(f"[{row(json.dumps(LINE, sort_keys=True, ensure_ascii=False, separators=(',', ':')))}]")
    start = data.draw(st.integers(0, len(body)))
    assert_as_the_contract(body[:start] + piece + body[start + data.draw(st.integers(0, 2)) :])
