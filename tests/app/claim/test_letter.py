"""The refusal letter: of every decision that refuses, with all reasons, in time, and for its patient only."""

from __future__ import annotations

import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests import needs
from tests.app.claim.kit import adjudicate, at_the_insurer, cut, decide, declined, fed, in_days, lines_of, mark_late
from tests.app.claim.test_operator_api import ask as ask_operator
from tests.app.claim.test_operator_api import headers
from tests.app.town import Insured, Town


@pytest.fixture
def who(town: Town) -> Insured:
    return town.insured("欧阳·娜")


def refuse(town: Town, claim_id: str, **how: Any) -> dict[str, Any]:
    """Every line is declined, the first for two reasons."""
    lines = [declined(line) for line in lines_of(town, claim_id)]
    lines[0]["reasons"].append({"code": "waiting_period", "text": "就诊发生在等待期内"})
    said = decide(town, claim_id, lines=lines, **how)
    town.drain_all("claim.issue_letter")
    return said


def letters(who: Insured, claim_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = who.get(f"/claims/{claim_id}")["letters"]
    return found


def download(who: Insured, claim_id: str, letter_id: str) -> Any:
    return who.patient.get(f"/claims/{claim_id}/letters/{letter_id}")


def text_of(content: bytes, tmp_path: Path) -> str:
    """The PDF's words without white space."""
    program, file = needs.pdftotext(), tmp_path / "letter.pdf"
    file.write_bytes(content)
    shown = subprocess.run([program, "-layout", file, "-"], capture_output=True, text=True, check=True).stdout
    return "".join(shown.split())


def test_a_refusal_is_sent_with_all_reasons_and_downloaded(town: Town, who: Insured, tmp_path: Path) -> None:
    claim_id = at_the_insurer(town, who)
    said = refuse(town, claim_id)
    [letter] = letters(who, claim_id)
    answer = download(who, claim_id, letter["id"])
    assert (answer.status_code, answer.content_type) == (200, "application/pdf")
    assert "attachment" in answer.headers["Content-Disposition"]
    assert sha256(answer.data).hexdigest() == letter["sha256"]
    shown = text_of(answer.data, tmp_path)
    case_no = who.get(f"/claims/{claim_id}")["case_no"]
    wanted = [
        "拒赔通知书",
        "欧阳·娜",
        said["claim_no"],
        case_no,
        "申请金额100.00元",
        "核定赔付0.00元",
        "药品1",
        "药品2",
    ]
    wanted += ["1.现有病历不足以说明该项目的医疗必要性", "2.就诊发生在等待期内", "12378", "前在微信内申诉一次"]
    assert [one for one in wanted if one not in shown] == []
    assert "部分拒赔" not in shown and who.document_no not in shown


def test_the_patient_and_the_insurer_are_told_and_the_term_is_kept(town: Town, who: Insured) -> None:
    claim_id = at_the_insurer(town, who)
    said = refuse(town, claim_id)
    [letter] = letters(who, claim_id)
    assert "拒赔通知书已送达" in [notice["title"] for notice in who.get("/notices")["items"]]
    [told] = fed(town, "claim.refusal_letter", claim_id)
    assert (told["decision_no"], told["sha256"]) == (said["decision_no"], letter["sha256"])
    [clock] = [one for one in who.get(f"/claims/{claim_id}")["clocks"] if one["kind"] == "letter"]
    assert clock["ended_at"] is not None and clock["late_at"] is None


def test_every_download_is_audited(town: Town, who: Insured) -> None:
    claim_id = at_the_insurer(town, who)
    refuse(town, claim_id)
    [letter] = letters(who, claim_id)
    for _ in range(2):
        download(who, claim_id, letter["id"])
    reads = "SELECT count(*) FROM audit_entry WHERE action = 'read.refusal_letter.content_sealed' AND subject_id = :id"
    assert town.value(reads, id=letter["id"]) == 2


def test_a_letter_is_sealed_and_nobody_elses(town: Town, who: Insured) -> None:
    claim_id = at_the_insurer(town, who)
    refuse(town, claim_id)
    [letter] = letters(who, claim_id)
    assert "JVBER" not in town.value("SELECT content_sealed FROM refusal_letter WHERE id = :id", id=letter["id"])
    stranger, another = town.insured("李四"), at_the_insurer(town, who)
    asked = [
        download(stranger, claim_id, letter["id"]),
        download(who, another, letter["id"]),
        download(who, claim_id, str(uuid4())),
    ]
    assert {(answer.status_code, answer.get_json()["code"]) for answer in asked} == {(404, "not_found")}


def test_a_partial_refusal_has_its_letter_about_what_is_not_paid(town: Town, who: Insured, tmp_path: Path) -> None:
    claim_id = at_the_insurer(town, who, 6_000, 4_000, 1_000)
    first, second, third = lines_of(town, claim_id)
    decide(town, claim_id, outcome="partly", lines=[declined(first), cut(second, 500), third])
    town.drain_all("claim.issue_letter")
    [letter] = letters(who, claim_id)
    assert letter["title"] == "部分拒赔通知书"
    shown = text_of(download(who, claim_id, letter["id"]).data, tmp_path)
    assert [
        one for one in ("药品1", "药品2", "超出剩余保额", "不予赔付65.00元", "核定赔付45.00元") if one not in shown
    ] == []
    assert "药品3" not in shown


@pytest.mark.parametrize("outcome", ["approved", "interim"])
def test_what_refuses_nothing_has_no_letter(town: Town, who: Insured, outcome: str) -> None:
    claim_id = at_the_insurer(town, who)
    adjudicate(town, claim_id, outcome=outcome)
    town.drain_all("claim.issue_letter")
    assert letters(who, claim_id) == []


def test_a_refusal_after_the_appeal_has_a_letter_of_its_own(town: Town, who: Insured, tmp_path: Path) -> None:
    claim_id = at_the_insurer(town, who)
    first = refuse(town, claim_id)
    assert who.post(f"/claims/{claim_id}/appeal", {"reason": "医嘱", "lines": []}).status_code == 200
    refuse(town, claim_id, supersedes=first["decision_no"])
    old, new = letters(who, claim_id)
    assert "申诉一次" in text_of(download(who, claim_id, old["id"]).data, tmp_path)
    assert "申诉一次" not in text_of(download(who, claim_id, new["id"]).data, tmp_path), "one appeal was all"


def test_a_decision_again_and_a_task_again_make_one_letter(town: Town, who: Insured) -> None:
    claim_id = at_the_insurer(town, who)
    refuse(town, claim_id)
    with town.runtime.work() as work:
        decision_id = town.value("SELECT id FROM decision WHERE claim_id = :id", id=claim_id)
        work.later("claim.issue_letter", decision_id)
    town.drain_all("claim.issue_letter")
    assert len(letters(who, claim_id)) == 1 and not town.dead()


def test_a_letter_that_is_not_sent_is_our_lateness(town: Town, who: Insured) -> None:
    """Operators see it; the insurer has decided in time. Two that are owed are one term, until both are sent."""
    claim_id = at_the_insurer(town, who)
    lines = [declined(line) for line in lines_of(town, claim_id)]
    first = decide(town, claim_id, lines=lines)
    assert who.post(f"/claims/{claim_id}/appeal", {"reason": "医嘱", "lines": []}).status_code == 200
    decide(town, claim_id, lines=lines, supersedes=first["decision_no"])
    with in_days(town, 5):
        mark_late(town)
    assert claim_id in late_letters(town) and fed(town, "claim.late", claim_id) == []
    town.drain_all("claim.issue_letter")
    assert claim_id not in late_letters(town) and len(letters(who, claim_id)) == 2


def late_letters(town: Town) -> list[str]:
    items = ask_operator(town, "/late-claims", headers(town, None), kind="letter", limit="100").get_json()["items"]
    return [item["claim_id"] for item in items]


def test_what_was_changed_behind_our_back_stands_in_no_letter(town: Town, who: Insured) -> None:
    claim_id = at_the_insurer(town, who)
    decide(town, claim_id, lines=[declined(line) for line in lines_of(town, claim_id)])
    change = (
        "UPDATE decision_line SET billed_fen = billed_fen + 1"
        " WHERE decision_id IN (SELECT id FROM decision WHERE claim_id = :id)"
    )
    town.rows(change, id=claim_id)
    town.drain_all("claim.issue_letter")
    assert letters(who, claim_id) == []
