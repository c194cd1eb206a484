"""Batches of a hospital's agent: twice, out of order, wrong row by row; bills that do and do not balance."""

from __future__ import annotations

import time
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import Tampered
from app.core.tasks import Job
from app.exchange import service as exchange
from app.gateways import Gateways
from app.record import calls, queries, rows, service
from tests.app.kit import Thread
from tests.app.patients import House
from tests.app.record import kit
from tests.examples import costly

APPLIED = ("applied", None)
CHANGES = {
    "bill": "UPDATE bill SET self_pay_fen = 301 WHERE key = :key RETURNING id",
    "fee_line": "UPDATE fee_line SET amount_fen = 999 WHERE key = :key RETURNING id",
    "e_bill": "UPDATE e_bill SET check_code = 'x' WHERE key = :key RETURNING id",
}


def facts(house: House, bill: dict[str, Any]) -> Any:
    with house.runtime.read() as session:
        return queries.bill_by_key(session, house.hospital_id(), bill["key"])


def told(house: House, kind: str) -> list[Any]:
    """Arguments of the tasks that follow an event, which are taken away."""
    found = house.rows("DELETE FROM task WHERE kind = :kind RETURNING args", kind=kind)
    return [row.args for row in found]


def test_every_type_of_row_is_applied(house: House) -> None:
    whole = kit.whole()
    assert house.apply(list(whole.values())) == [APPLIED] * 8
    bill = facts(house, whole["bill"])
    assert (bill.total_fen, bill.borne_fen, bill.refused_reason, bill.e_bill_state) == (1000, 400, None, "issued")


def test_a_hospital_may_have_no_file_of_its_e_bill(house: House) -> None:
    whole = kit.whole()
    whole["e_bill"]["data"]["sha256"] = None
    assert house.apply(list(whole.values())) == [APPLIED] * 8
    assert facts(house, whole["bill"]).e_bill_state == "issued"


def test_a_price_of_nothing_is_kept_however_it_is_written(house: House) -> None:
    whole = kit.whole()
    whole["fee_line"]["data"]["unit_price"] = "0e1100000000"
    assert house.apply(list(whole.values())) == [APPLIED] * 8
    assert facts(house, whole["bill"]).refused_reason == "line_amount_wrong"


def test_the_same_rows_again_change_nothing(house: House) -> None:
    given_rows = list(kit.whole().values())
    house.apply(given_rows)
    told(house, "claim.bills_changed")
    assert house.apply(given_rows) == [("unchanged", None)] * 8
    assert told(house, "claim.bills_changed") == []


def test_a_batch_that_is_applied_again_keeps_its_verdicts(house: House) -> None:
    """A worker was killed between the commit and the end of its task."""
    number = house.push(list(kit.whole().values()))
    house.drain_all("record.apply")
    batch_id = house.value("SELECT id FROM batch WHERE batch_no = :number AND kind = 'record'", number=number)
    with house.runtime.work() as work:
        work.later("record.apply", batch_id)
    house.drain_all("record.apply")
    assert house.verdicts(number) == [APPLIED] * 8


def test_who_finds_a_batch_open_waits_and_keeps_its_verdicts(house: House) -> None:
    number = house.push(list(kit.whole().values()))
    house.rows("DELETE FROM task WHERE kind = 'record.apply'")
    batch_id = house.value("SELECT id FROM batch WHERE batch_no = :number AND kind = 'record'", number=number)
    job = Job(1, "record.apply", batch_id, {}, 1, 1)
    with house.runtime.work() as work:
        batch = exchange.open_batch(work, batch_id)
        second = Thread(lambda: calls.apply_batches(house.runtime, cast(Gateways, None), [job]))
        house.until(lambda: house.value("SELECT count(*) FROM pg_locks WHERE NOT granted") > 0)
        exchange.settle_batch(work, batch_id, *service.apply(work, [batch]))
    second.result()
    assert house.verdicts(number) == [APPLIED] * 8


def test_a_refused_batch_may_be_applied_again(house: House) -> None:
    number = house.push([kit.visit(kit.key(), kind="ghost")])
    batch_id = house.value("SELECT id FROM batch WHERE batch_no = :number AND kind = 'record'", number=number)
    for _ in range(2):
        house.drain_all("record.apply")
        assert house.verdicts(number) == [("refused", "kind: literal_error")]
        with house.runtime.work() as work:
            work.later("record.apply", batch_id)
    house.drain_all("record.apply")
    assert house.value("SELECT count(*) FROM task WHERE kind = 'record.apply'") == 0


def test_an_older_version_after_a_newer_one_is_stale(house: House) -> None:
    whole = kit.whole()
    house.apply(list(whole.values()))
    newer = {**whole["bill"], "version": 5, "data": whole["bill"]["data"] | {"bill_no": "newer"}}
    assert house.apply([newer]) == [APPLIED]
    assert house.apply([{**newer, "version": 3, "data": newer["data"] | {"bill_no": "older"}}]) == [("stale", None)]
    assert facts(house, newer).bill_no == "newer"


def test_versions_of_one_row_in_one_batch_end_with_the_newest(house: House) -> None:
    k = kit.key()
    versions = [kit.visit(k, version, department_name=f"v{version}") for version in (1, 3, 2, 3)]
    assert house.apply(versions) == [APPLIED, APPLIED, ("stale", None), ("unchanged", None)]
    assert house.value("SELECT department_name FROM visit WHERE key = :k", k=k) == "v3"


def test_a_version_may_be_large_and_zero(house: House) -> None:
    assert house.apply([kit.visit(kit.key(), 2**62), kit.visit(kit.key(), 0)]) == [APPLIED, APPLIED]


def test_children_before_their_parents_wait_for_them(house: House) -> None:
    whole = kit.whole()
    parents = [whole.pop("visit"), whole.pop("bill")]
    number = house.push(list(whole.values()))
    house.drain_all("record.apply")
    assert {verdict for verdict, _ in house.verdicts(number)} == {"waiting_parent"}
    house.apply(parents)
    house.drain_all("record.apply", hurry=True)
    assert house.verdicts(number) == [APPLIED] * 6
    assert facts(house, parents[1]).refused_reason is None
    waiting = "SELECT count(*) FROM task WHERE kind = 'record.apply'"
    assert house.value(waiting) == 0


def test_rows_beside_those_that_wait_are_applied_once(house: House) -> None:
    v = kit.key("v")
    number = house.push([kit.visit(v), kit.report(kit.key(), kit.key("never"))])
    house.drain_all("record.apply")
    house.drain_all("record.apply", hurry=True)
    assert house.verdicts(number) == [APPLIED, ("waiting_parent", None)]
    house.rows("UPDATE batch SET received_at = now() - interval '2 days' WHERE batch_no = :n", n=number)
    house.drain_all("record.apply", hurry=True)
    assert house.value("SELECT count(*) FROM task WHERE kind = 'record.apply'") == 0


def test_a_parent_of_another_hospital_is_none(house: House) -> None:
    v = kit.key("v")
    house.apply([kit.visit(v)], code="H1")
    number = house.push([kit.report(kit.key(), v)], code="H2")
    house.drain_all("record.apply")
    assert house.verdicts(number, "H2") == [("waiting_parent", None)]
    house.rows("DELETE FROM task WHERE kind = 'record.apply'")


@pytest.mark.parametrize(
    ("type_name", "wrong", "reason"),
    [
        ("visit", {"kind": "ghost"}, "kind: literal_error"),
        ("visit", {"started_at": "2026-11-20T09:30:00"}, "started_at: timezone_aware"),
        ("visit", {"patient_no": ""}, "patient_no: string_too_short"),
        ("diagnosis", {"code_system": None}, "code_system: string_type"),
        ("bill", {"fund_fen": "600"}, "fund_fen: int_type"),
        ("bill", {"total_fen": -1}, "total_fen: greater_than_equal"),
        ("bill", {"total_fen": 10**14}, "total_fen: less_than_equal"),
        ("bill", {"visit_key": 5}, "visit_key: string_type"),
        ("fee_line", {"unit_price": 5.0}, "unit_price: decimal_text"),
        ("fee_line", {"quantity": 2}, "quantity: decimal_text"),
        ("fee_line", {"quantity": "٢.٠"}, "quantity: decimal_text"),
        ("fee_line", {"at": 1763683200}, "at: datetime_parsing"),
        ("fee_line", {"at": "1763683200"}, "at: datetime_parsing"),
        ("e_bill", {"issued_on": 20261120}, "issued_on: date_parsing"),
        ("fee_line", {"unit_price": "NaN"}, "unit_price: finite_number"),
        ("fee_line", {"unit_price": "1.1234567"}, "unit_price: decimal_max_places"),
        ("fee_line", {"unit_price": "9999999999999"}, "unit_price: decimal_whole_digits"),
        ("fee_line", {"quantity": "1e30"}, "quantity: decimal_whole_digits"),
        ("fee_line", {"insurance_class": "丁"}, "insurance_class: literal_error"),
        ("e_bill", {"sha256": "x"}, "sha256: string_pattern_mismatch"),
    ],
)
def test_a_wrong_row_is_refused_alone_and_by_name(house: House, type_name: str, wrong: Any, reason: str) -> None:
    whole, other = kit.whole(), kit.whole()
    whole[type_name] = {**whole[type_name], "data": whole[type_name]["data"] | wrong}
    verdicts = dict(zip(whole, house.apply([*whole.values(), *other.values()]), strict=False))
    assert verdicts[type_name][0] == "refused"
    assert verdicts[type_name][1].split(":")[0] == reason.split(":")[0]
    assert facts(house, other["bill"]).refused_reason is None
    house.rows("DELETE FROM task WHERE kind = 'record.apply'")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"bill": {"fund_fen": 601}}, "parts_do_not_add_up"),
        ({"bill": {"fund_fen": 0, "account_fen": 0, "self_pay_fen": 0, "status": "unsettled"}}, None),
        ({"bill": {"fund_fen": 0, "account_fen": 0, "self_pay_fen": 0, "status": "refunded"}}, "parts_do_not_add_up"),
        ({"bill": {"total_fen": 1001, "self_pay_fen": 301}}, "lines_do_not_add_up"),
        ({"fee_line": {"amount_fen": 999}}, "lines_do_not_add_up"),
        ({"fee_line": {"unit_price": "4.995000"}}, None),  # 999 fen: within one fen
        ({"fee_line": {"unit_price": "5.005000"}}, None),  # 1001 fen
        ({"fee_line": {"unit_price": "4.990000"}}, "line_amount_wrong"),
        ({"fee_line": {"unit_price": "5.007500"}}, "line_amount_wrong"),  # 1001.5 is 1002
        ({"bill": {"patient_no": "P2"}}, "patient_differs"),
    ],
)
def test_whether_a_bill_balances(house: House, changes: dict[str, Any], reason: str | None) -> None:
    whole = kit.whole()
    for type_name, change in changes.items():
        whole[type_name] = {**whole[type_name], "data": whole[type_name]["data"] | change}
    assert house.apply(list(whole.values())) == [APPLIED] * 8
    bill = facts(house, whole["bill"])
    assert bill.refused_reason == reason
    assert (bill.refused_text is None) == (reason is None)


def test_a_bill_without_lines_is_refused_until_they_come_and_one_of_zero_is_not(house: House) -> None:
    v, b = kit.key("v"), kit.key("b")
    bill = kit.bill(b, v)
    zero = kit.bill(kit.key("b"), v, total_fen=0, fund_fen=0, account_fen=0, self_pay_fen=0)
    house.apply([kit.visit(v), bill, zero])
    assert facts(house, bill).refused_reason == "lines_do_not_add_up"
    assert facts(house, zero).refused_reason is None
    half: dict[str, Any] = {"unit_price": "2.500000", "amount_fen": 500}
    house.apply([kit.line(kit.key(), b, **half)])
    house.apply([kit.line(kit.key(), b, line_no=2, **half | {"quantity": "-2.0000", "amount_fen": -500})])
    assert facts(house, bill).refused_reason == "lines_do_not_add_up"
    house.apply([kit.line(kit.key(), b, line_no=3)])
    assert facts(house, bill).refused_reason is None


def test_two_lines_with_one_number_are_refused(house: House) -> None:
    v, b = kit.key("v"), kit.key("b")
    half: dict[str, Any] = {"quantity": "1.0000", "amount_fen": 500}
    bill = kit.bill(b, v)
    house.apply([kit.visit(v), bill, kit.line(kit.key(), b, **half), kit.line(kit.key(), b, **half)])
    assert facts(house, bill).refused_reason == "line_numbers_repeat"


def test_a_line_that_the_hospital_deletes_is_no_part_of_its_bill(house: House) -> None:
    v, b, stays, goes = kit.key("v"), kit.key("b"), kit.key("l"), kit.key("l")
    bill = kit.bill(b, v)
    half: dict[str, Any] = {"quantity": "1.0000", "amount_fen": 500}
    house.apply([kit.visit(v), bill, kit.line(stays, b, **half), kit.line(goes, b, line_no=2, **half)])
    none: dict[str, Any] = {"quantity": "0.0000", "amount_fen": 0}
    house.apply([kit.line(goes, b, 2, line_no=2, **none), kit.line(kit.key(), b, line_no=2, **half)])
    assert facts(house, bill).refused_reason is None, "its number may be another's"
    with house.runtime.read() as session:
        bill_id = facts(house, bill).id
        assert [(line.line_no, line.amount_fen) for line in queries.lines(session, [bill_id])] == [(1, 500), (2, 500)]


def test_a_line_that_moves_to_another_bill_changes_both(house: House) -> None:
    v, a, b, moving = kit.key("v"), kit.key("b"), kit.key("b"), kit.key("l")
    bills = [kit.bill(a, v), kit.bill(b, v)]
    house.apply([kit.visit(v), *bills, kit.line(moving, a)])
    assert [facts(house, bill).refused_reason for bill in bills] == [None, "lines_do_not_add_up"]
    house.apply([kit.line(moving, b, 2)])
    assert [facts(house, bill).refused_reason for bill in bills] == ["lines_do_not_add_up", None]


def test_a_visit_that_turns_out_to_be_anothers_refuses_its_bill(house: House) -> None:
    whole = kit.whole()
    house.apply(list(whole.values()))
    corrected = whole["visit"]["data"] | {"patient_no": "P9"}
    house.apply([{**whole["visit"], "version": 2, "data": corrected}])
    assert facts(house, whole["bill"]).refused_reason == "patient_differs"


def test_refused_bills_are_counted(house: House) -> None:
    with house.runtime.read() as session:
        before = queries.refused_count(session)
    house.apply(list(kit.whole(fund_fen=1).values()))
    with house.runtime.read() as session:
        assert queries.refused_count(session) == before + 1


@pytest.mark.parametrize(("code", "verdict"), [("H1", ("refused", "e_bill_taken")), ("H2", APPLIED)])
def test_an_e_bill_of_another_bill_is_refused_and_another_hospitals_kept_apart(
    house: House, code: str, verdict: tuple[str, str | None]
) -> None:
    first, second = kit.whole(), kit.whole()
    house.apply(list(first.values()))
    taken = first["e_bill"]["data"]
    second["e_bill"] = kit.e_bill(kit.key("e"), second["bill"]["key"], code=taken["code"], number=taken["number"])
    assert house.apply(list(second.values()), code=code) == [APPLIED] * 7 + [verdict]


def test_two_e_bills_with_one_number_in_one_batch_are_one(house: House) -> None:
    whole = kit.whole()
    twin = kit.e_bill(kit.key("e"), whole["bill"]["key"], number=whole["e_bill"]["data"]["number"])
    assert house.apply([*whole.values(), twin]) == [APPLIED] * 8 + [("refused", "e_bill_taken")]


def test_a_reversed_e_bill_is_told(house: House) -> None:
    whole = kit.whole()
    house.apply(list(whole.values()))
    assert told(house, "claim.e_bills_reversed") == []
    reversed_one = whole["e_bill"]["data"] | {"status": "reversed"}
    house.apply([{**whole["e_bill"], "version": 2, "data": reversed_one}])
    bill = facts(house, whole["bill"])
    assert bill.e_bill_state == "reversed"
    assert [args["bill_ids"] for args in told(house, "claim.e_bills_reversed")] == [[str(bill.id)]]


@pytest.mark.parametrize("table", sorted(CHANGES))
def test_a_row_changed_behind_the_programs_back_is_named(house: House, table: str) -> None:
    whole = kit.whole()
    house.apply(list(whole.values()))
    bill_id = facts(house, whole["bill"]).id
    with house.runtime.work() as work:
        service.verify_checks(work, [bill_id])
    row_id = house.rows(CHANGES[table], key=whole[table]["key"])[0].id
    with pytest.raises(Tampered, match=f"{table}:{row_id}"), house.runtime.work() as work:
        service.verify_checks(work, [bill_id])


def test_what_is_sensitive_is_sealed_and_read_with_an_entry(house: House) -> None:
    whole = kit.whole()
    house.apply(list(whole.values()))
    stored = house.rows("SELECT r::text FROM report r UNION ALL SELECT d::text FROM document d")
    assert not [row for row in stored if "白细胞" in row[0] or "咳嗽" in row[0]]
    visit_id = facts(house, whole["bill"]).visit_id
    with house.runtime.work() as work:
        ((document, text),) = service.read_documents(work, [visit_id], "test")
    assert text == "咳嗽三天"
    read = "SELECT count(*) FROM audit_entry WHERE subject_id = :id AND action = 'read.document.text_sealed'"
    assert house.value(read, id=document.id) == 1


def test_two_workers_apply_two_versions_in_one_order(house: House) -> None:
    whole = kit.whole()
    house.apply(list(whole.values()))
    batches = []
    for version in (2, 3, 4, 5):
        data = whole["bill"]["data"] | {"bill_no": str(version)}
        batches.append(house.push([{**whole["bill"], "version": version, "data": data}]))
    done = [Thread(lambda: house.drain_all("record.apply")) for _ in range(2)]
    [thread.result() for thread in done]
    house.drain_all("record.apply", hurry=True)
    assert facts(house, whole["bill"]).bill_no == "5"


def test_two_thousand_lines_are_quick(house: House) -> None:
    v, b = kit.key("v"), kit.key("b")
    lines = [kit.line(kit.key(), b, line_no=n, quantity="1.0000", amount_fen=500) for n in range(1, 1999)]
    house.push([kit.visit(v), kit.bill(b, v, total_fen=500 * 1998, fund_fen=500 * 1998 - 400), *lines])
    started = time.process_time()
    house.drain_all("record.apply")
    spent_s = time.process_time() - started
    assert house.value("SELECT count(*) FROM fee_line l JOIN bill b ON b.id = l.bill_id WHERE b.key = :b", b=b) == 1998
    assert spent_s < 1.0, f"{spent_s:.2f} s of this process for 2,000 rows"


TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20
)  # as the exchange lets in
SCALARS: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
    | st.just([])
    | st.just({})
)
FIELDS = sorted({name for one in rows.ROW_TYPES.values() for name in one.contract.model_fields})


@costly
@given(
    spoiled=st.lists(
        st.tuples(
            st.sampled_from(sorted(rows.ROW_TYPES)), st.dictionaries(st.sampled_from(FIELDS), SCALARS, max_size=4)
        ),
        max_size=6,
    )
)
def test_no_row_breaks_its_batch(house: House, spoiled: list[tuple[str, dict[str, Any]]]) -> None:
    """Whatever a hospital's system sends: a verdict for each row, and the good rows beside it are applied."""
    good = kit.whole()
    bad = []
    for type_name, wrong in spoiled:
        one = kit.whole()[type_name]
        bad.append({**one, "data": one["data"] | wrong})
    with house.runtime.work() as work:
        batch = kit.open_batch(house.hospital_id(), [*bad, *good.values()])
        (verdicts,) = service.apply(work, [batch])
    assert [v.verdict for v in verdicts[len(bad) :]] == ["applied"] * 8
    assert {v.verdict for v in verdicts} <= {"applied", "refused", "waiting_parent"}
