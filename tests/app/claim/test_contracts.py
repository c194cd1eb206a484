"""Numbers in an insurer's words that no row could keep are refused where they come in."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from app.claim.contracts.partners import AdjudicatedLineIn, PolicyIn
from app.claim.contracts.people import LineRef

POLICY: dict[str, Any] = {
    "policy_no": "P1", "product_name": "百万医疗", "product_filing_no": None, "valid_from": "2026-01-01",
    "valid_to": "9999-12-31", "in_scope": True, "deductible_left_fen": 0, "ratio": "0.9", "ceiling_left_fen": 1,
}  # fmt: skip
LINE: dict[str, Any] = {
    "clearing_no": "1", "line_no": 1, "billed_fen": 1, "covered_fen": 1, "deductible_fen": 0, "ratio": "1.0000",
    "approved_fen": 1, "reasons": [],
}  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        {"deductible_left_fen": 10**14},
        {"ceiling_left_fen": 9 * 10**18},
        {"ratio": "1e-20000"},
        {"ratio": "0." + "3" * 25},
        {"ratio": "NaN"},
    ],
)
def test_a_policy_with_numbers_that_cannot_be_kept_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PolicyIn.model_validate(POLICY | wrong)


def test_nothing_is_nothing_however_it_is_written() -> None:
    assert str(PolicyIn.model_validate(POLICY | {"ratio": "0e1100000000"}).ratio) == "0"
    assert str(AdjudicatedLineIn.model_validate(LINE | {"ratio": "0e1100000000"}).ratio) == "0"


@pytest.mark.parametrize("line_no", [0, 100_001, 2**31, 10**400, True, "1", 1.0])
def test_a_line_number_is_one_that_a_hospital_can_send(line_no: Any) -> None:
    with pytest.raises(ValidationError):
        AdjudicatedLineIn.model_validate(LINE | {"line_no": line_no})
    with pytest.raises(ValidationError):
        LineRef.model_validate({"clearing_no": "1", "line_no": line_no})
