"""The letter about funds says first how it ended, then what does not agree, then the figures."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest

from app.reconciliation.models import Difference
from app.reconciliation.report import funds_writing
from app.reconciliation.report.figures import NOTHING, Figures, PartyFigures

COUNTS = {"payment": {"bill": 3, "bill_fen": 3600, "own": 3, "own_fen": 3700, "agreed": 2, "agreed_fen": 2400}}


def _difference(number: str, cause: str = "bill_amount") -> Difference:
    return Difference(
        kind="funds_amount", key=f"payment:{number}", cause=cause, status="open", bank_fen=1200, platform_fen=1300
    )


def _figures(status: str, *differences: Difference, blocked: str | None = None) -> Figures:
    parties = [
        PartyFigures("H1", "示范医院", "trade", "arrived", 3, 3600, 0, 0, None),
        PartyFigures("H1", "示范医院", "basic", "arrived", 4, 3600, 0, 0, None),
        PartyFigures(
            "B1", "示范银行", "bank", "blocked" if blocked else "arrived", None if blocked else 1, 0, 0, 0, blocked
        ),
    ]
    return Figures(
        date(2026, 11, 20), 1, status, None, None, NOTHING, [], parties, differences, len(differences), "told"
    )


def _html(found: Figures) -> str:
    return funds_writing.letter(found, COUNTS, ["finance@example.com"]).html


def test_what_does_not_agree_stands_in_the_letter_itself_before_the_figures() -> None:
    html = _html(_figures("differences", _difference("ZP1"), _difference("ZP2", "platform_lacks")))
    places = [
        html.index(part)
        for part in ("有差异</b>", "差异 2 条", "账单金额与平台不同", "ZP1", "平台没有这笔", "账单与平台（元）")
    ]
    assert places == sorted(places)
    assert "payment:" not in html, "a key of ours is nothing to read"
    assert "color:#b42318;font-weight:bold" in html


def test_only_the_first_differences_stand_there_and_it_says_so() -> None:
    html = _html(_figures("differences", *(_difference(f"ZP{place:03}") for place in range(25))))
    assert "差异 25 条" in html and "前 10 条" in html
    assert [f"ZP{place:03}" in html for place in (0, 9, 10, 24)] == [True, True, False, False]


def test_a_balanced_day_has_no_word_of_differences() -> None:
    html = _html(_figures("balanced"))
    assert "没有差异" in html and "明细" not in html
    assert "#b42318" not in html


def test_a_bill_that_is_missing_is_named_and_not_called_a_failure() -> None:
    html = _html(_figures("blocked", blocked="bill_not_ready"))
    assert "示范银行（B1）银行对账单：账单尚未生成" in html
    assert html.count("示范医院（H1）") == 1, "an owner's bills stand together"


@pytest.mark.parametrize(("line", "shown"), [(None, "ZP1"), (7, "第 7 行")])
def test_a_line_that_could_not_be_read_is_named_by_its_place(line: int | None, shown: str) -> None:
    row = _difference("ZP1") if line is None else Difference(key=f"trade:{uuid4()}:7", line=line)
    assert funds_writing.number(row) == shown


def test_the_workbook_speaks_of_the_handling_as_people_do() -> None:
    said = dict(zip(funds_writing.HEAD, funds_writing.cells(_difference("ZP1")), strict=True))
    assert (said["编号"], said["处理状态"], said["账单金额"]) == ("payment:ZP1", "待处理", "12.00")
