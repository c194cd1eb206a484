"""Whatever is wrong is named by its place and in words, all of it at once, and nothing of it is repeated."""

from __future__ import annotations

import copy
import json
from datetime import date
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.reconciliation.rules import WORDS
from app.sandbox import samples
from app.sandbox.checking import check
from app.sandbox.contracts import LedgerIn
from app.sandbox.messages import MESSAGES, REQUESTS
from app.sandbox.samples import batch
from workers.routes import ROUTES

DAY = date(2026, 11, 21)
SECRET = "张无忌310101199003071234"


def said(body: Any) -> list[str]:
    return [str(fault) for fault in check(body if isinstance(body, str) else json.dumps(body)).faults]


def record(**changes: Any) -> dict[str, Any]:
    """The sample with fields of rows replaced: `bill__total_fen=1`; what it declares fits again."""
    rows = samples.record(1, DAY)["rows"]
    for name, value in changes.items():
        kind, _, field = name.partition("__")
        for row in rows:
            if row["type"] == kind:
                row["data"][field] = value
    return batch(1, "record", DAY, [(row["type"], row["key"], row["data"]) for row in rows])


@pytest.mark.parametrize("make", [samples.catalogue, samples.record, samples.ledger])
def test_the_samples_are_right(make: Any) -> None:
    assert check(json.dumps(make(1, DAY))) == check(json.dumps(make(1, DAY)))
    report = check(json.dumps(make(1, DAY)))
    assert (report.kind, report.faults, report.hints) == ("batch", [], [])


def test_the_samples_for_insurers_are_right() -> None:
    kinds = {name: check(json.dumps(body)).kind for name, body in samples.insurer_messages(DAY).items()}
    assert not any(said(body) for body in samples.insurer_messages(DAY).values())
    assert set(kinds.values()) == {"message", "request"}
    assert check(json.dumps(samples.decision(DAY))).kind == "decision"


def test_every_type_that_is_followed_can_be_checked() -> None:
    of_insurers = {event.removeprefix("exchange.message.") for event in ROUTES if ".message.claim." in event}
    asked = {event.removeprefix("exchange.request.") for event in ROUTES if ".request." in event}
    assert (set(MESSAGES), set(REQUESTS)) == (of_insurers, asked)


def test_a_ledger_speaks_the_words_that_the_night_knows() -> None:
    known = {word for role in ("hospital", "insurer") for word in WORDS[role]}
    assert set(get_args(LedgerIn.model_fields["status"].annotation)) == known
    number = samples.ledger(3, DAY)["rows"][0]["key"]
    for wrong in ({"status": "paid"}, {"clearing_no": number[:-1] + str(9 - int(number[-1]))}, {"kind": "undo"}):
        row = {"clearing_no": number, "amount_fen": 1, "status": "settled"} | wrong
        (found,) = said(batch(3, "ledger", DAY, [("ledger", number, row)]))
        assert found.startswith(f"rows[0].data.{next(iter(wrong))}: ")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"bill__total_fen": "100"}, "rows[3].data.total_fen: 应为整数，不加引号，不带小数"),
        ({"bill__self_pay_fen": 5_999}, "rows[3].data: 统筹、账户与自付之和不等于总额（parts_do_not_add_up）"),
        ({"fee_line__amount_fen": 4_000}, "rows[4].data.amount_fen: 明细金额不等于单价乘以数量"),
        ({"fee_line__line_no": 1}, "rows[3].data: 费用明细的行号重复（line_numbers_repeat）"),
        ({"bill__patient_no": "P2"}, "rows[3].data: 结算单与就诊不是同一位患者（patient_differs）"),
        ({"visit__started_at": "2026-11-21T10:00:00"}, "时间必须带时区"),
        ({"visit__kind": SECRET}, "rows[0].data.kind: 只能是 'outpatient' or 'inpatient'"),
        ({"fee_line__unit_price": "free"}, "rows[4].data.unit_price: 应为十进制数"),
    ],
)
def test_a_batch_that_is_wrong(changes: dict[str, Any], expected: str) -> None:
    found = said(record(**changes))
    assert any(expected in fault for fault in found), found
    assert SECRET not in "".join(found)


def test_what_is_declared_is_told_as_it_should_be() -> None:
    sound = samples.record(1, DAY)
    found = said(sound | {"count": 9, "amount_fen": 1, "sha256": "0" * 64})
    assert [fault.partition(":")[0] for fault in found] == ["count", "amount_fen", "sha256"]
    assert [fault.rpartition("：")[2] for fault in found] == ["7", "10000", sound["sha256"]]


def test_all_mistakes_are_named_at_once() -> None:
    body = record(bill__status="paid", e_bill__issued_on="yesterday", visit__patient_no="")
    body["rows"][1]["type"] = "ledger"
    places = {fault.partition(":")[0] for fault in said(body)}
    wanted = {"rows[0].data.patient_no", "rows[1].type", "rows[3].data.status", "rows[6].data.issued_on"}
    assert wanted <= places and "sha256" in places


def test_rows_that_wait_for_their_parents_are_a_hint() -> None:
    rows = [row for row in samples.record(1, DAY)["rows"] if row["type"] == "e_bill"]
    report = check(json.dumps(batch(1, "record", DAY, [(row["type"], row["key"], row["data"]) for row in rows])))
    assert not report.faults
    assert [hint.place for hint in report.hints] == ["rows[0].data.bill_key"]


@pytest.mark.parametrize(
    ("line", "changes", "expected"),
    [
        (0, {"approved_fen": 4_400}, "lines[0]: 这一行算不平（line_does_not_add_up）"),
        (1, {"covered_fen": 6_000}, "lines[1]: 这一行算不平"),
        (1, {"line_no": 1}, "lines: 同一 clearing_no 与 line_no 只能出现一次"),
        (0, {"ratio": "1.5"}, "lines[0].ratio: 不得大于 1"),
    ],
)
def test_a_decision_that_does_not_add_up(line: int, changes: dict[str, Any], expected: str) -> None:
    body = samples.decision(DAY)
    body["lines"][line] |= changes
    assert any(fault.startswith(expected) for fault in said(body)), said(body)
    assert any(fault.startswith(f"data.{expected}") for fault in said({"type": "claim.adjudicated", "data": body}))


def test_every_line_at_fault_is_named() -> None:
    body = samples.decision(DAY)
    for line in body["lines"]:
        line["approved_fen"] += 10
    places = [fault.partition(":")[0] for fault in said(body)]
    assert places == ["lines[0]", "lines[1]", "approved_fen"]
    assert said(samples.decision(DAY) | {"outcome": "rejected"}) == ["outcome: rejected 当且仅当赔付合计为 0"]


def test_a_hospital_s_word_of_a_revoked_tie_is_known() -> None:
    tie = {"account_ref": "a" * 32, "patient_no": "P1"}
    assert said({"type": "tie.revoked", "data": tie}) == []
    assert [one.partition(":")[0] for one in said({"type": "tie.revoked", "data": {"patient_no": 7}})] == [
        "data.account_ref", "data.patient_no"]  # fmt: skip


NO_MESSAGE = ["", "{", "[]", "{}", '{"type": NaN}', '"x"', '{"data": {}, "x": "\\u0000"}', '{"type": "\\ud800"}',
              '{"type": "claim.case_opened", "data": {"a": [1e400]}}', '{"type":' * 5000]  # fmt: skip


@pytest.mark.parametrize("text", NO_MESSAGE)
def test_what_is_no_message_is_said_to_be_none(text: str) -> None:
    assert check(text).kind == "unknown" and said(text)


def test_names_and_values_that_others_chose_are_not_repeated() -> None:
    body = copy.deepcopy(samples.record(1, DAY)) | {SECRET: SECRET}
    body["rows"][0]["data"] |= {"patient_no": {SECRET: SECRET}, "started_at": SECRET}
    found = "\n".join(said(body))
    assert "不认识的项目" in found and SECRET not in found


NAMES = st.sampled_from(["rows", "type", "key", "data", "kind", "lines", "count"])
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)


@given(VALUES)
def test_nothing_breaks_the_checker(value: Any) -> None:
    batch_like = {"rows": [value], "kind": "record"}
    for body in (value, {"rows": value}, batch_like, {"type": "claim.adjudicated", "data": value}):
        check(json.dumps(body))
