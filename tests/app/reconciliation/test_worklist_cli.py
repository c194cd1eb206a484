"""The work list on the command line, and as files over both doors."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from app.identity.operators.models import Operator, OperatorRole
from app.reconciliation.export import HEAD
from tests.app.reconciliation.kit import DAY, Night, number

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@pytest.fixture
def listed(night: Night) -> Night:
    """A night with a missing row and a wrong amount; finance people anna and bert, and carl who is none."""
    night.book(range(1, 6))
    night.drop_insurer("I1", number(1))
    night.alter_insurer("I1", number(2), amount_fen=1)
    night.run()
    with night.runtime.work() as work:
        for login, role in (("anna", "finance"), ("bert", "finance"), ("carl", "claims")):
            row = Operator(login=login, duty="business", password_hash="-")
            work.seal(row, "totp_sealed", "-")
            work.add(row)
            work.session.flush()
            work.add(OperatorRole(operator_id=row.id, role=role, duty="business"))
    return night


def of_kind(night: Night, kind: str) -> str:
    return str(next(row.id for (its, _), row in night.differences().items() if its == kind))


def test_the_list_says_cause_step_who_and_age(listed: Night, flask: Any) -> None:
    lines = flask("differences", "list", "--date", str(DAY)).stdout.splitlines()
    assert len(lines) == 2
    assert any(f"amount {number(2)} open 1d 保险公司金额与另两方不同 → insurer:" in line for line in lines)
    (missing,) = flask("differences", "list", "--kind", "presence", "--status", "suspended").stdout.splitlines()
    assert number(1) in missing


def test_money_needs_a_second_operator_and_history_shows_both(listed: Night, flask: Any) -> None:
    amount = of_kind(listed, "amount")
    assert flask("differences", "assign", "--operator", "anna", amount).stdout == f"{amount} assigned\n"
    assert flask("differences", "resolve", "--operator", "anna", "--reason", "已补差", amount).stdout.endswith(
        "proposed\n"
    )
    again = flask("differences", "resolve", "--operator", "anna", "--reason", "已补差", amount)
    assert again.exit_code == 1 and "另一位同事" in again.output
    assert flask("differences", "resolve", "--operator", "bert", "--reason", "同意", amount).stdout.endswith(
        "resolved\n"
    )
    shown = json.loads(flask("differences", "show", amount).stdout)
    assert [entry["to_status"] for entry in shown["history"]] == ["open", "assigned", "proposed", "resolved"]
    assert len({entry["actor_id"] for entry in shown["history"]}) == 3


def test_who_may_not_and_what_is_too_much(listed: Night, flask: Any) -> None:
    one = of_kind(listed, "presence")
    assert flask("differences", "assign", "--operator", "carl", one).exit_code == 1
    assert flask("differences", "assign", "--operator", "nobody", one).exit_code == 1
    assert flask("differences", "resolve", "--operator", "anna", "--reason", "x", one).exit_code == 2
    assert flask("differences", "resolve", "--operator", "anna", "--reason", "好的", *[one] * 101).exit_code == 2
    assert flask("export", "--hospital", "H9", "--out", "x").exit_code == 1


def test_exports_have_every_difference_as_text(listed: Night, flask: Any, tmp_path: Path) -> None:
    sheet, table = tmp_path / "list.xlsx", tmp_path / "list.csv"
    assert flask("export", "--date", str(DAY), "--out", str(sheet)).exit_code == 0
    assert flask("export", "--date", str(DAY), "--format", "csv", "--out", str(table)).exit_code == 0
    rows = list(csv.reader(io.StringIO(table.read_text(encoding="utf-8-sig"))))
    assert _cells(sheet) == rows
    assert tuple(rows[0]) == HEAD
    by_number = {row[3]: dict(zip(HEAD, row, strict=True)) for row in rows[1:]}
    assert by_number[number(2)]["保险公司金额"] == "0.01"
    assert (by_number[number(1)]["集合"], by_number[number(1)]["责任方"]) == ("110", "insurer")


def _cells(path: Path) -> list[list[str]]:
    """The text cells of a workbook's first sheet, whose strings stand in the cells."""
    with zipfile.ZipFile(path) as book:
        sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))  # noqa: S314 - we wrote it ourselves
    return [["".join(cell.itertext()) for cell in row.iter(f"{_MAIN}c")] for row in sheet.iter(f"{_MAIN}row")]


def test_a_partners_people_export_their_own_part(listed: Night) -> None:
    answers = {
        party: listed.get("/differences/export?format=csv", headers=listed.operator(party=party))
        for party in ("I1", "I2")
    }
    assert [answer.status_code for answer in answers.values()] == [200, 200]
    lines = {party: answer.get_data().decode("utf-8-sig").splitlines() for party, answer in answers.items()}
    assert {party: len(found) for party, found in lines.items()} == {"I1": 3, "I2": 1}
    assert "attachment" in answers["I1"].headers["Content-Disposition"]
    assert listed.get("/differences/export", headers=listed.operator(role="claims")).status_code == 403
    assert listed.get("/differences/export?format=pdf").status_code == 422


def test_a_run_of_funds_may_be_started_over_the_api(listed: Night) -> None:
    body = {"kind": "funds", "business_date": str(DAY), "wait_s": 1}
    started = listed.post("/runs", body)
    assert (started.status_code, started.get_json()["kind"]) == (202, "funds")
    found = listed.get("/runs?kind=funds").get_json()["items"]
    assert [run["id"] for run in found] == [started.get_json()["id"]]
    assert listed.post("/runs", body | {"business_date": str(DAY + timedelta(30))}).status_code == 422
