"""What could not be looked at is not said to be well."""

from __future__ import annotations

from pathlib import Path

import pytest

from hospital_agent.config import load
from hospital_agent.doctor import examine
from tests.hospital_agent.small_his import MAPPING
from tests.hospital_agent.test_config import BASE


@pytest.mark.parametrize("mapping", ["no = [", MAPPING])
def test_without_a_mapping_the_source_is_not_looked_at(tmp_path: Path, mapping: str) -> None:
    path = tmp_path / "agent.toml"
    path.write_text(BASE.replace("postgresql://his", "postgresql+psycopg://his@127.0.0.1:1/his"), encoding="utf-8")
    (tmp_path / "his.mapping.toml").write_text(mapping, encoding="utf-8")
    found = {one.name: one for one in examine(load(path), path)}
    unread = {name for name, one in found.items() if one.advice.startswith("not looked at") and one.warning}
    assert unread == (set() if mapping == MAPPING else {"source", "rows"})
    assert bool(found["mapping"].advice) == (mapping != MAPPING)
    assert not found["batches"].advice, "what was refused of those that were sent is known without it"
