"""A mapping file is complete or refused with the place named."""

from __future__ import annotations

import contextlib
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from hospital_agent.errors import MappingError
from hospital_agent.mapping import reader
from mock_partners.his import fill
from tests.examples import costly
from tests.hospital_agent.small_his import MAPPING


def read(tmp_path: Path, text: str) -> object:
    path = tmp_path / "his.mapping.toml"
    path.write_text(text, encoding="utf-8")
    return reader.load(path)


@pytest.mark.parametrize("dialect", ["builtin", "synthea"])
def test_the_hospitals_own_mappings_are_complete(dialect: str) -> None:
    mapping = reader.load(Path(fill.__file__).parent / f"{dialect}.mapping.toml")
    names = [entity.name for entity in mapping.pushed()]
    assert names[:4] == ["department", "doctor", "slot", "visit"]
    assert names.index("visit") < names.index("bill") < names.index("fee_line")
    assert set(mapping.ledger) == {"borne", "own"}


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('table = "jz"\n', "", "[entities.visit] needs exactly one of sql and table"),
        ('key = ["jzh"]\n', "", "[entities.visit] needs a key"),
        ("campus = { null = true }\n", "", "missing: ['campus']"),
        ("campus = { null = true }\n", 'campus = { null = true }\nroom = "z"\n', "not known: ['room']"),
        ('as = "fen"', 'as = "money"', "as is one of"),
        ("[entities.visit]", "[entities.bed]", "[entities] does not know bed"),
        ('name = "small"', 'money_unit = "jiao"', "money_unit"),
        ('name = "small"', 'timezone = "Mars/Base"', "timezone"),
        ('name = "small"', 'encoding = "morse"', "encoding"),
        ("overlap_s = 1", "overlap = 1", "does not know overlap"),
        ('department_name = "ks"', "department_name = { }", "needs exactly one of"),
        ("[source]", "[source", "his.mapping.toml"),
        ('key = ["jzh"]', 'key = "jzh"', "[entities.visit.key] is not a list of names"),
        ("places = 6", "places = -1", "places are a number"),
        ("overlap_s = 1", 'overlap_s = "1"', "[entities.visit.overlap_s] is not a number of seconds"),
        ('name = "small"', 'timezone = "America"', "timezone"),
        ('department_name = "ks"', "department_name = { null = true }", "department_name] may not be null"),
        ('business_date = "ywrq"\n', "", "[ledger.own] needs a business_date"),
        ('name = "small"', "encoding = 8", "[source.encoding] is not a text"),
    ],
)
def test_what_cannot_work_is_refused_with_its_place(tmp_path: Path, old: str, new: str, place: str) -> None:
    assert old in MAPPING
    with pytest.raises(MappingError) as caught:
        read(tmp_path, MAPPING.replace(old, new))
    assert place in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="cannot be read"):
        reader.load(tmp_path / "none.toml")


@costly
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode) | st.just(b"a = " + b"[" * 5_000))
def test_no_file_is_more_than_refused(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "his.mapping.toml"
        path.write_bytes(content)
        with contextlib.suppress(MappingError):
            reader.load(path)


VALUES = st.recursive(
    st.text(max_size=5) | st.integers() | st.floats() | st.booleans() | st.dates() | st.sampled_from(["fen", "hex"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["column", "as", "x"]), inner),
    max_leaves=4,
)


def places(node: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Every place of a mapping file, as the section that it is in and its name there."""
    for name, value in node.items():
        yield node, name
        if isinstance(value, dict):
            yield from places(value)


@costly
@given(st.data())
def test_a_value_of_any_kind_at_any_place_is_read_or_refused(data: st.DataObject) -> None:
    mapping = tomllib.loads(MAPPING)
    section, name = data.draw(st.sampled_from(list(places(mapping))))
    section[name] = data.draw(VALUES)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "his.mapping.toml"
        path.write_text(tomli_w.dumps(mapping), encoding="utf-8")
        with contextlib.suppress(MappingError):
            found = reader.load(path)
            assert all(isinstance(column, str) for entity in found.pushed() for column in entity.columns())
