"""Reports reach the people they are for, once for the same figures, with everything a reader needs."""

from __future__ import annotations

import io
import re
import zipfile
from base64 import b64decode
from typing import Any
from uuid import UUID
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring
from sqlalchemy import select, update

from app.exchange.models import Party
from app.exchange.service import NewParty, put_party
from mock_partners.mail import Mail
from mock_partners.sms import Sms
from tests.app.reconciliation.kit import DAY, Night, number

FINANCE = ["finance@example.com", "chief@example.com"]


@pytest.fixture
def different(night: Night) -> Night:
    """H1 with I1 without a difference; H2 with I2 with a missing row and a wrong amount."""
    night.book(range(1, 4))
    night.book(range(4, 8), "H2", "I2")
    night.drop_insurer("I2", number(4))
    night.alter_insurer("I2", number(5), amount_fen=123456)
    return night


def _by_reader(mail: Mail) -> dict[str, dict[str, Any]]:
    return {message["to"][0]: message for message in mail.messages}


def _sheets(content: bytes) -> dict[str, list[list[str]]]:
    """The texts and numbers of each sheet, row by row; no cell is a formula."""
    space = {"x": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        shared = [
            "".join(item.itertext()) for item in fromstring(book.read("xl/sharedStrings.xml")).findall("x:si", space)
        ]
        names = [s.attrib["name"] for s in fromstring(book.read("xl/workbook.xml")).iter(f"{{{space['x']}}}sheet")]
        found = {}
        for place, name in enumerate(names, 1):
            tree = fromstring(book.read(f"xl/worksheets/sheet{place}.xml"))
            cells = [row.findall("x:c", space) for row in tree.iter(f"{{{space['x']}}}row")]
            assert not list(tree.iter(f"{{{space['x']}}}f"))
            found[name] = [[_said(cell, shared, space) for cell in row] for row in cells]
    return found


def _said(cell: Element, shared: list[str], space: dict[str, str]) -> str:
    """A text cell's text, or a number's digits."""
    value = cell.findtext("x:v", "", space)
    return shared[int(value)] if cell.get("t") == "s" else value


def _words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_one_hospital_by_hand_is_told_to_it_and_to_finance_and_says_so(different: Night, mail: Mail, sms: Sms) -> None:
    with different.runtime.work() as work:
        work.session.execute(
            update(Party).where(Party.code == "H2").values(config={"mails": ["h2@example.com"], "phones": []})
        )
    different.run(report=True, hospital="H2")
    letters = _by_reader(mail)
    assert set(letters) == {FINANCE[0], "h2@example.com"}
    with different.runtime.read() as session:
        hospital = session.scalar(select(Party.name).where(Party.code == "H2"))
    assert {letter["subject"] for letter in letters.values()} == {f"三方对账 {DAY} 有差异（仅{hospital}）"}
    assert {message["params"]["result"] for message in sms.messages} == {"有差异（单家医院）"}


def test_finance_gets_everything_and_a_partner_its_own(different: Night, mail: Mail, sms: Sms) -> None:
    night_id = UUID(different.run(report=True)["id"])
    statuses = {party: different.seen(night_id, party=party)["status"] for party in ("I1", "I2")}
    assert statuses == {"I1": "balanced", "I2": "differences"}, "the API says what the letters say"
    letters = _by_reader(mail)
    assert set(letters) == {FINANCE[0], "i1@example.com", "i2@example.com"}
    assert letters[FINANCE[0]]["to"] == FINANCE
    verdicts = {FINANCE[0]: "有差异", "i1@example.com": "三方一致", "i2@example.com": "有差异"}
    for reader, verdict in verdicts.items():  # of its own part
        assert letters[reader]["subject"] == f"三方对账 {DAY} {verdict}"
    for reader, shown in ((FINANCE[0], True), ("i2@example.com", True), ("i1@example.com", False)):
        book = _sheets(b64decode(letters[reader]["attachments"][0]["content_base64"]))
        assert ([row[0] for row in book["110"][1:]] == [number(4)]) is shown
    assert sorted(message["phone"] for message in sms.messages) == ["13800000001", "13900000001", "13900000001"]
    told = next(message for message in sms.messages if message["phone"] == "13800000001")
    assert told["template_id"] == "SMS_RECONCILIATION"
    assert told["params"] == {"day": str(DAY), "result": "有差异", "figures": "共7笔，一致5笔，差异2笔"}


def test_a_letter_has_totals_sets_a_chart_and_a_workbook(different: Night, mail: Mail) -> None:
    different.run(report=True)
    letter = _by_reader(mail)[FINANCE[0]]
    assert f'<img src="cid:{letter["inline"][0]["cid"]}"' in letter["html"]
    assert b64decode(letter["inline"][0]["content_base64"]).startswith(b"\x89PNG\r\n\x1a\n")
    for text in ("金额不一致 1 笔", "28.00", "市中医医院 I2 4 22.00 2 13.00", "三方", "有 有 无 保险公司账中没有 1"):
        assert text in _words(letter["html"])
    book = _sheets(b64decode(letter["attachments"][0]["content_base64"]))
    assert list(book)[:8] == ["汇总", "111", "110", "101", "100", "011", "010", "001"]
    assert book["金额不一致"][1][:7] == [number(5), "5", "正常", "5", "正常", "1234.56", "正常"]
    assert ["110", "保险公司账中没有", "1"] in book["汇总"]
    assert book["汇总"][-1] == ["三方", "7", "28", "5", "19", "2", "9"]
    assert [row[0] for row in book["111"][1:]] == [number(5)], "of 111 what does not agree"


def test_the_same_figures_are_not_sent_twice_and_new_ones_are(different: Night, mail: Mail, sms: Sms) -> None:
    different.run(report=True)
    sent = len(mail.messages), len(sms.messages)
    different.run(report=True)
    assert (len(mail.messages), len(sms.messages)) == sent
    different.insurer_row("I2", number(4), 400)
    different.run(report=True)
    again = [message["to"][0] for message in mail.messages[sent[0] :]]
    assert sorted(again) == [FINANCE[0], "i2@example.com"], "I1 has nothing new to read"


def test_a_task_that_runs_again_after_a_kill_doubles_nothing(different: Night, mail: Mail) -> None:
    run_id = different.run(report=True)["id"]
    sent = len(mail.messages)
    with different.runtime.work() as work:
        work.later("reconciliation.report", different.as_id(run_id))
        work.later("reconciliation.finish", different.as_id(run_id))
    different.drain_all()
    assert len(mail.messages) == sent


def test_a_blocked_night_says_who_is_missing(different: Night, mail: Mail) -> None:
    different.insurers["I1"].book.settings.ledger_fault = "sha256"
    different.run(report=True)
    letter = _by_reader(mail)[FINANCE[0]]
    assert letter["subject"].endswith("未完成：有一方账目缺失或不符")
    assert "I1（I1）：账目的数量、金额或摘要与申报不符" in letter["html"]


def test_names_of_partners_do_not_become_markup(different: Night, mail: Mail) -> None:
    with different.runtime.work() as work:
        put_party(work, NewParty("insurer", "I3", "<b>三</b>", {"mails": ["i3@example.com"]}))
    different.run(report=True)
    assert "&lt;b&gt;三&lt;/b&gt;（I3）" in _by_reader(mail)["i3@example.com"]["html"]
