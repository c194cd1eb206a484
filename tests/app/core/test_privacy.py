from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import Tampered
from app.core.privacy import Privacy, mask_name, mask_number
from app.core.settings import DEVELOPMENT_KEY

OLD = "old:" + base64.b64encode(b"o" * 32).decode()
NEW = "new:" + base64.b64encode(b"n" * 32).decode()
HERE = "person:name_sealed:1"


@pytest.fixture(scope="module")
def privacy() -> Privacy:
    return Privacy(OLD)


@given(st.text(max_size=50))
def test_what_is_sealed_opens_and_shows_nothing(text: str) -> None:
    privacy = Privacy(OLD)
    sealed = privacy.seal(text, HERE)
    assert privacy.open(sealed, HERE) == text
    assert sealed.isascii() and (len(text) < 3 or text not in sealed)


def test_the_same_text_is_sealed_differently_each_time(privacy: Privacy) -> None:
    assert privacy.seal("张三", HERE) != privacy.seal("张三", HERE)


@pytest.mark.parametrize("there", ["person:name_sealed:2", "person:phone_sealed:1", "account:name_sealed:1", ""])
def test_what_was_moved_does_not_open(privacy: Privacy, there: str) -> None:
    sealed = privacy.seal("张三", HERE)
    with pytest.raises(Tampered) as found:
        privacy.open(sealed, there)
    assert found.value.where == there and "张三" not in str(found.value)


@pytest.mark.parametrize("part", [2, 3], ids=["nonce", "body"])
def test_what_was_changed_does_not_open(privacy: Privacy, part: int) -> None:
    parts = privacy.seal("张三", HERE).split(".")
    content = base64.urlsafe_b64decode(parts[part] + "==")
    for place in range(len(content)):
        changed = bytes(byte ^ (i == place) for i, byte in enumerate(content))
        parts[part] = base64.urlsafe_b64encode(changed).decode().rstrip("=")
        with pytest.raises(Tampered):
            privacy.open(".".join(parts), HERE)


@pytest.mark.parametrize(
    "broken", ["", "v1", "v1.old.x", "v2.old.AAAA.AAAA", "v1.none.AAAA.AAAA", "v1.old.%.%", "v1.old.直.赔"]
)
def test_what_is_no_sealed_text_does_not_open(privacy: Privacy, broken: str) -> None:
    with pytest.raises(Tampered):
        privacy.open(broken, HERE)


def test_a_new_key_in_front_seals_and_the_old_one_still_opens() -> None:
    old, both, new = Privacy(OLD), Privacy(f"{NEW},{OLD}"), Privacy(NEW)
    before, after = old.seal("张三", HERE), both.seal("张三", HERE)
    assert both.open(before, HERE) == both.open(after, HERE) == "张三"
    assert new.open(after, HERE) == "张三"
    with pytest.raises(Tampered):
        old.open(after, HERE)
    assert old.index("张三", "name") == both.index("张三", "name")
    assert old.check("t", {"a": 1}) == both.check("t", {"a": 1})


def test_a_blind_index_finds_equals_of_one_kind_only(privacy: Privacy) -> None:
    assert privacy.index("1", "phone") == privacy.index("1", "phone")
    assert len({privacy.index("1", "phone"), privacy.index("1", "card"), privacy.index("2", "phone")}) == 3
    assert Privacy(NEW).index("1", "phone") != privacy.index("1", "phone")


def test_a_check_field_covers_table_names_and_values(privacy: Privacy) -> None:
    rows: list[tuple[str, dict[str, Any]]] = [
        ("bill", {"a": 1, "b": None}),
        ("bill", {"a": None, "b": 1}),
        ("bill", {"a": "1", "b": None}),
        ("claim", {"a": 1, "b": None}),
        ("bill", {"a": 1}),
    ]
    assert len({privacy.check(*row) for row in rows}) == len(rows)
    assert privacy.check("bill", {"b": None, "a": 1}) == privacy.check(*rows[0])


@given(
    rows=st.lists(
        st.tuples(st.text() | st.uuids(), st.integers(), st.none() | st.booleans() | st.text() | st.decimals()),
        max_size=4,
    )
)
def test_check_fields_of_many_rows_are_those_of_each(privacy: Privacy, rows: list[tuple[Any, ...]]) -> None:
    names = ("of", "amount_fen", "what")
    columns = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    alone = [privacy.check("table", dict(zip(names, row, strict=True))) for row in rows]
    assert privacy.checks("table", columns) == alone


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Privacy("short:" + base64.b64encode(b"x" * 16).decode())
    assert Privacy(DEVELOPMENT_KEY)


@pytest.mark.parametrize(("name", "masked"), [("张三丰", "张**"), ("李", "李*"), ("", "*"), ("阿·买", "阿**")])
def test_a_name_keeps_its_first_character(name: str, masked: str) -> None:
    assert mask_name(name) == masked


@given(st.text(alphabet="0123456789X", min_size=1, max_size=20))
def test_a_masked_number_never_shows_more_than_head_and_tail(number: str) -> None:
    masked = mask_number(number)
    assert len(masked) == len(number)
    assert masked.count("*") >= min(len(number) - 1, 1)
    assert mask_number("13812345678") == "138****5678"
