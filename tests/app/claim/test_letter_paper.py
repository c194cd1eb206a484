"""What the refusal letter looks like at its edges."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from app.claim.letter_paper import draw

MOMENT = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
LINE: dict[str, Any] = {
    "bill_no": "B0001", "name": "注射用头孢曲松钠", "billed_fen": 6_000, "approved_fen": 0, "reasons": ["责任免除"],
}  # fmt: skip
LETTER: dict[str, Any] = {
    "outcome": "rejected", "claim_no": "20261122000000017", "case_no": "CASE-1", "decision_no": "D1",
    "decided_at": MOMENT, "issued_at": MOMENT, "submitted_at": MOMENT, "insurer_name": "平安健康保险",
    "hospital_name": "第一人民医院", "product_name": "住院医疗保险", "policy_no": "P-1", "insured_name": "欧阳·娜",
    "document_type": "id_card", "document_no": "310***********0131", "asked_fen": 6_000, "approved_fen": 0,
    "appeal_until": MOMENT, "lines": [LINE],
}  # fmt: skip


def pages(content: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", content))


def test_the_same_letter_gives_the_same_bytes() -> None:
    assert draw(LETTER) == draw(LETTER) != draw(LETTER | {"approved_fen": 1})


@pytest.mark.parametrize(
    "lines",
    [
        [LINE | {"reasons": [f"理由{number}：{'长' * 490}" for number in range(40)]}],
        [LINE | {"name": f"药品{number}", "reasons": [f"核减 {number} 元"]} for number in range(300)],
        [LINE | {"name": "超" * 300, "reasons": []}],
        [LINE | {"billed_fen": -100, "approved_fen": -100}],
        [],
    ],
)
def test_any_number_of_lines_and_reasons_fits(lines: list[dict[str, Any]]) -> None:
    content = draw(LETTER | {"lines": lines, "appeal_until": None, "case_no": None})
    assert content.startswith(b"%PDF-") and pages(content) >= 1
