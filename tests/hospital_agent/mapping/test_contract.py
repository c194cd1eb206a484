"""The agent knows of every row type what the platform takes: which fields there are, and which may be null."""

from __future__ import annotations

from typing import get_args

import pytest

from app.sandbox.batches import CONTRACTS
from hospital_agent.mapping.contract import LEDGER_FIELDS, ROW_FIELDS, Fields
from hospital_agent.mapping.model import PUSHED


def of_platform(type_name: str) -> Fields:
    fields = CONTRACTS[type_name].model_fields
    nullable = {name for name, field in fields.items() if type(None) in get_args(field.annotation)}
    return Fields(frozenset(fields) - nullable, frozenset(nullable))


@pytest.mark.parametrize("type_name", PUSHED)
def test_rows_are_what_the_platform_takes(type_name: str) -> None:
    assert ROW_FIELDS[type_name] == of_platform(type_name)


@pytest.mark.parametrize("part", LEDGER_FIELDS)
def test_a_ledgers_row_has_what_the_platform_needs(part: str) -> None:
    needed = {name for name, field in CONTRACTS["ledger"].model_fields.items() if field.is_required()}
    assert LEDGER_FIELDS[part].required >= needed - ({"clearing_no"} if part == "borne" else set())
