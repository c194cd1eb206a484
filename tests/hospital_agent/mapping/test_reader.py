"""A mapping file is complete or refused with the place named."""

from __future__ import annotations

from pathlib import Path

import pytest

from hospital_agent.errors import MappingError
from hospital_agent.mapping import reader
from mock_partners.his import fill
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
