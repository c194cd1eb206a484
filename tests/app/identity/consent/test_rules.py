"""The words of consents and receipts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args

import pytest

from app.identity.consent import rules
from app.identity.consent.contracts import DataClass, Purpose, Scope
from app.identity.consent.rules import CURRENT_WORDING, GENERAL, HEALTH, Recipient, Shared

INSURER = Recipient("甲保险", "privacy@example.com")


def test_everything_that_can_be_asked_for_has_words() -> None:
    assert set(get_args(Scope)) == set(rules.KINDS)
    assert set(get_args(Purpose)) == set(rules.PURPOSES)
    assert all(set(texts) == set(get_args(DataClass)) for texts in rules.WORDINGS.values())


@pytest.mark.parametrize("data_class", [GENERAL, HEALTH])
@pytest.mark.parametrize("purpose", get_args(Purpose))
def test_a_text_names_recipient_contact_purpose_and_kinds(purpose: str, data_class: str) -> None:
    scope = rules.usual_scope(purpose, data_class)
    text = rules.statement(CURRENT_WORDING, data_class, INSURER, purpose, scope)
    needed = [INSURER.name, INSURER.contact, rules.PURPOSES[purpose], *(rules.KINDS[kind][1] for kind in scope)]
    assert [one for one in needed if one not in text] == [] and "撤回" in text
    assert ("单独同意" in text) == (data_class == HEALTH)
    assert rules.classes_of(scope) == {data_class}


def test_a_receipt_says_what_with_whom_when_and_why() -> None:
    at = datetime(2026, 11, 21, 16, 0, 5, tzinfo=UTC)
    told = rules.receipt(Shared("甲保险", "package", "CL1", ["bills", "identity"], at))
    assert told == (
        "2026-11-22 00:00:05（北京时间），为提交理赔资料（理赔 CL1），向甲保险提供了："
        "姓名、证件类型和号码、出生日期、性别；结算单和费用明细。"
    )
