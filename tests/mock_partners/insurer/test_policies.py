"""Policies are read from the wire and say all their reasons at once."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from mock_partners.insurer.policies import DOCUMENTS_ASKED, day_of, parse, reasons_against_line, reasons_against_visit
from tests.mock_partners.insurer.packages import PERSON, line, policy


def test_an_extended_policy_is_valid_longer_never_shorter() -> None:
    assert parse(policy(extended_to="2027-03-01")).valid_to == date(2027, 3, 1)
    assert parse(policy(extended_to="2026-03-01")).valid_to == date(2026, 12, 31)


def test_cover_includes_its_first_and_last_day() -> None:
    known = parse(policy())
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 12, 31), date(2027, 1, 1)]
    assert [known.covers(day) for day in days] == [False, True, True, False]


@pytest.mark.parametrize("wrong", [{"ratio": "1.01"}, {"ratio": "-0.1"}, {"valid_from": "soon"}])
def test_a_policy_that_is_none_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse(policy(**wrong))


def test_documents_are_asked_for_by_default_or_by_name() -> None:
    assert list(parse(policy(asks_documents=True)).documents_asked) == DOCUMENTS_ASKED
    named = [{"kind": "photo", "text": "照片"}]
    assert list(parse(policy(asks_documents=named)).documents_asked) == named
    assert parse(policy()).documents_asked == ()


def test_the_insured_is_known_by_document_name_and_birth() -> None:
    insured = parse(policy()).insured
    assert insured.is_same({**PERSON, "document_no": PERSON["document_no"].lower()})
    assert insured.is_same({"name": PERSON["name"], "document_no": PERSON["document_no"]})
    assert not insured.is_same({**PERSON, "birth_date": "1949-12-30"})
    assert not insured.is_same({})


def test_all_reasons_stand_together() -> None:
    known = parse(policy(hospitals=["H2"], excluded_diagnoses=["J06"], excluded_codes=["D0"], rejects=True))
    against_visit = reasons_against_visit(known, "H1", date(2025, 1, 1), ["A00", "J06.900"])
    assert [r.code for r in against_visit] == ["outside_cover", "hospital_not_covered", "excluded_diagnosis"]
    against_line = reasons_against_line(known, line(1, 100, "丙"))
    assert [r.code for r in against_line] == ["waiting_period", "self_funded", "excluded_code"]
    assert reasons_against_line(parse(policy(covers_self_funded=True)), line(1, 100, "丙")) == []


def test_the_business_date_of_a_time_is_that_of_shanghai() -> None:
    assert day_of(None, "2026-11-20T16:30:00Z") == date(2026, 11, 21)
    assert day_of("2026-11-20", "2026-11-21T16:30:00Z") == date(2026, 11, 20)
    with pytest.raises(ValueError, match="no date"):
        day_of(None, "")
