from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.identity.person import rules
from tests.app.identity.kit import identity_number


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("张三", "张三"),
        (" 欧阳娜娜 ", "欧阳娜娜"),
        ("阿卜杜拉•买买提", "阿卜杜拉·买买提"),
        ("阿卜杜拉．买买提", "阿卜杜拉·买买提"),
        ("阿卜杜拉 · 买买提", "阿卜杜拉·买买提"),
        ("𠮷野家", "𠮷野家"),
        ("王𬭼", "王𬭼"),
        ("赵𰻝", "赵𰻝"),
        ("李〇", "李〇"),
        ("ＪＯＨＮ　ＳＭＩＴＨ", "JOHN SMITH"),
        ("Anne-Marie O'Neil", "Anne-Marie O'Neil"),
        ("José", "José"),
        ("John Q. Smith", "John Q. Smith"),
    ],
)
def test_names_of_all_kinds_are_kept_as_on_the_card(typed: str, kept: str) -> None:
    assert rules.plain_name(typed) == kept
    assert rules.is_name(kept)


@pytest.mark.parametrize(
    "name", ["", "·", "张3", "张·", "·张", "<b>张</b>", "张\u0000三", "张\ue000", "👩", "张;三", "张" * 51]
)
def test_what_is_no_name(name: str) -> None:
    assert not rules.is_name(rules.plain_name(name))


@pytest.mark.parametrize(
    ("kind", "number", "fits"),
    [
        ("id_card", "11010519491231002X", True),  # the example of GB 11643-1999
        ("id_card", "110105194912310021", False),
        ("id_card", "110105490101001", False),
        ("hmt_residence_permit", "810000199408230021", True),
        ("hmt_residence_permit", "11010519491231002X", False),
        ("foreign_permanent_residence", "USA110088080812", True),
        ("foreign_permanent_residence", "USA11008808081", False),
        ("passport", "E12345678", True),
        ("passport", "ABCDEFGHI", False),
        ("passport", "E1", False),
        ("birth_certificate", "T310123456", True),
        ("birth_certificate", "3101234567", False),
        ("library_card", "E12345678", False),
    ],
)
def test_forms_of_documents(kind: str, number: str, fits: bool) -> None:
    assert rules.is_document(kind, number) is fits


def test_a_foreigners_new_card_has_a_check_digit() -> None:
    number = identity_number("19880808", area="911156")
    assert rules.is_document("foreign_permanent_residence", number)
    wrong = number[:-1] + ("0" if number[-1] != "0" else "1")
    assert not rules.is_document("foreign_permanent_residence", wrong)


@given(st.dates(date(1900, 1, 1), date(2030, 12, 31)), st.sampled_from(["male", "female"]))
def test_an_identity_number_says_birth_date_and_sex(born: date, sex: str) -> None:
    assert rules.spoken_facts("id_card", identity_number(f"{born:%Y%m%d}", sex)) == (born, sex)


@given(st.text(max_size=40))
def test_nothing_that_is_typed_breaks_the_rules(text: str) -> None:
    name, number, phone = rules.plain_name(text), rules.plain_number(text), rules.plain_phone(text)
    assert rules.plain_name(name) == name and rules.plain_number(number) == number
    assert rules.is_name(name) in (True, False) and rules.is_phone(phone) in (True, False)
    assert [rules.is_document(kind, number) for kind in rules.DOCUMENTS]


@pytest.mark.parametrize("typed", ["13812345678", "+86 138-1234-5678", "8613812345678", "１３８１２３４５６７８"])
def test_ways_to_type_a_phone(typed: str) -> None:
    assert rules.plain_phone(typed) == "13812345678"


def test_fourteen_and_eighteen_are_reached_on_the_birthday() -> None:
    born = date(2012, 2, 29)
    assert rules.is_child(born, date(2026, 2, 28)) and not rules.is_child(born, date(2026, 3, 1))
    assert not rules.is_adult(born, date(2030, 2, 28)) and rules.is_adult(born, date(2030, 3, 1))


def test_the_hospital_is_asked_again_more_and_more_slowly() -> None:
    pauses = [rules.asks_again_after(times).total_seconds() for times in (1, 2, 3, 10)]
    assert pauses == [2, 4, 8, 60]


def test_a_hospital_is_asked_for_records_in_longer_and_longer_pauses_for_a_day() -> None:
    waited = [timedelta(0), timedelta(minutes=1), timedelta(hours=3), timedelta(hours=23)]
    pauses = [rules.pulls_again_after(one, more_follows=False) for one in waited]
    assert pauses == [timedelta(seconds=5), timedelta(minutes=1), timedelta(minutes=10), timedelta(minutes=10)]
    pauses = [rules.pulls_again_after(one, more_follows=True) for one in waited]
    assert pauses == [timedelta(minutes=2), timedelta(minutes=2), timedelta(hours=1), timedelta(hours=1)]
    assert rules.pulls_again_after(timedelta(days=1), more_follows=False) is None


@pytest.mark.parametrize("number", [None, "1", "P-1", "门诊 0001", "P" * 64])
def test_a_patient_number_is_a_short_text_or_nothing(number: str | None) -> None:
    assert rules.is_patient_number(number)


@pytest.mark.parametrize("number", [5, "", " ", "\u3000", "P\n", "P\x00", "\ud800", "P" * 65, ["P1"]])
def test_everything_else_is_no_patient_number(number: object) -> None:
    assert not rules.is_patient_number(number)
