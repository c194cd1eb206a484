from __future__ import annotations

from datetime import date

import pytest

from mock_partners.his.people import EarlierBill, age_on, guardian_named, invent

DAY = date(2026, 11, 21)


@pytest.mark.parametrize(("born", "age"), [(date(2012, 11, 21), 14), (date(2012, 11, 22), 13), (date(2012, 2, 29), 14)])
def test_age_is_counted_in_birthdays(born: date, age: int) -> None:
    assert age_on(born, DAY) == age


def test_a_child_shares_the_guardians_phone_and_says_so() -> None:
    child = invent(1, 0, "H1", DAY)
    assert child.guardian is not None and child.phone == child.guardian.phone
    shown = child.as_json()
    assert shown["guardian"]["birth_date"] == child.guardian.birth_date.isoformat()
    assert shown["guardian"]["relation"] == "child"


def test_what_is_shown_counts_bills_and_keeps_the_plan_to_itself() -> None:
    person = invent(1, 1, "H1", DAY)
    person.bills = [EarlierBill("B1", DAY, 10, 5, balanced=True), EarlierBill("B2", DAY, 10, 5, balanced=False)]
    shown = person.as_json()
    assert (shown["bills"], shown["unbalanced_bills"], shown["guardian"]) == (2, 1, None)
    assert "insured" not in shown


def test_a_free_or_unbalanced_bill_cannot_be_claimed() -> None:
    assert EarlierBill("B", DAY, 10, 5, balanced=True).claimable
    assert not EarlierBill("B", DAY, 10, 0, balanced=True).claimable
    assert not EarlierBill("B", DAY, 10, 5, balanced=False).claimable


def test_guardian_and_child_never_share_a_number() -> None:
    born = date(1990, 5, 5)
    assert guardian_named("a", "male", born, 0).document_no != invent(1, 0, "H1", DAY).document_no
