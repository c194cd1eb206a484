"""Rows altered in every way are found exactly; a re-run changes nothing and heals what was mended."""

from __future__ import annotations

from typing import Any

import pytest

from app.reconciliation.models import Difference
from tests.app.kit import value
from tests.app.reconciliation.kit import DAY, Night, number

FOREIGN = number(9_000_000_001)


@pytest.fixture
def altered(night: Night) -> dict[str, Any]:
    """Twelve rows of H1 and I1, then one row for each set, amounts and statuses altered."""
    night.book(range(1, 13))
    night.drop_insurer("I1", number(1))
    del night.hospitals["H1"][DAY][number(2)]
    night.drop_insurer("I1", number(3))
    del night.hospitals["H1"][DAY][number(3)]
    night.insurer_row("I2", number(101), 7)
    night.hospital_row("H2", number(102), 8)
    for clearing_no in (FOREIGN,):
        night.hospital_row("H1", clearing_no, 500)
        night.insurer_row("I1", clearing_no, 500)
    night.hospitals["H1"][DAY][number(4)]["amount_fen"] = 401
    night.alter_insurer("I1", number(5), amount_fen=499)
    night.hospitals["H1"][DAY][number(6)]["status"] = "refunded"
    night.alter_insurer("I1", number(7), status="void")
    return night.run()


def test_all_seven_sets_amounts_and_statuses_are_found_exactly(night: Night, altered: dict[str, Any]) -> None:
    assert altered["status"] == "differences"
    assert altered["sets"] == {"111": 9, "110": 1, "101": 1, "100": 1, "011": 1, "010": 1, "001": 1}
    assert (altered["amount_differs"], altered["status_differs"]) == (2, 2)
    found = {(kind, key): (row.found_set, row.cause) for (kind, key), row in night.differences().items()}
    assert found == {
        ("presence", number(1)): ("110", "missing_insurer"),
        ("presence", number(2)): ("011", "missing_hospital"),
        ("presence", number(3)): ("010", "only_platform"),
        ("presence", number(101)): ("001", "only_insurer"),
        ("presence", number(102)): ("100", "only_hospital"),
        ("presence", FOREIGN): ("101", "missing_platform"),
        ("amount", number(4)): ("111", "amount_hospital"),
        ("amount", number(5)): ("111", "amount_insurer"),
        ("status", number(6)): ("111", "status_hospital"),
        ("status", number(7)): ("111", "status_insurer"),
    }


def test_totals_add_up_and_each_partner_has_its_own(night: Night, altered: dict[str, Any]) -> None:
    total = altered["totals"]["three_party"]
    assert (total["count"], total["success_count"], total["failure_count"]) == (15, 5, 10)
    assert total["amount_fen"] == total["success_amount_fen"] + total["failure_amount_fen"]
    assert altered["totals"]["hospital_platform"]["success_count"] == 8
    groups = {(g["hospital"], g["insurer"]): g["totals"]["three_party"]["count"] for g in altered["groups"]}
    assert groups == {("H1", "I1"): 13, (None, "I2"): 1, ("H2", None): 1}


def test_declared_rows_are_all_accounted_for(night: Night) -> None:
    night.book(range(1, 5))
    book = night.hospitals["H1"][DAY]
    book["again"] = dict(book[number(1)])
    book["typing error"] = book[number(2)] | {"clearing_no": number(2)[:-1] + "x"}
    book["no amount"] = {"clearing_no": number(3), "kind": "pay", "amount_fen": 0, "status": ""}
    book["stranger"] = {"clearing_no": number(4), "kind": "gift", "amount_fen": 5, "status": "settled"}
    seen = night.run()
    count = seen["counts"]["hospital"]
    assert (count["rows"], count["distinct"], count["duplicate_rows"], count["bad_rows"]) == (8, 4, 1, 3)
    assert count["readable_fen"] == count["distinct_fen"] + count["duplicate_fen"] + count["bad_fen"]
    found = {key: (row.cause, row.line) for key, row in night.differences().items()}
    assert found == {
        ("duplicate", f"hospital:{number(1)}"): ("duplicate", 5),
        ("bad_row", "H1:6"): ("clearing_no", 6),
        ("bad_row", "H1:7"): ("status", 7),
        ("bad_row", "H1:8"): ("columns", 8),
    }
    verdicts = night.world.partner["H1"].ok("/batches/verdicts", {"batch_no": 1})["rows"]
    assert [(v["key"], v["reason"]) for v in verdicts if v["verdict"] == "refused"] == [
        ("typing error", "clearing_no"),
        ("no amount", "status"),
        ("stranger", "columns"),
    ]


def test_a_rerun_gives_the_same_answer_and_the_same_differences(night: Night, altered: dict[str, Any]) -> None:
    before = {name: (row.id, row.status, row.first_run_id) for name, row in night.differences().items()}
    again = night.run()
    for figure in ("status", "sets", "totals", "groups", "counts", "amount_differs", "status_differs"):
        assert again[figure] == altered[figure]
    assert again["attempt"] == 2
    assert {name: (row.id, row.status, row.first_run_id) for name, row in night.differences().items()} == before
    assert value(night.runtime, "SELECT count(*) FROM reconciliation_difference") == len(before)


def test_what_was_mended_closes_with_a_note_and_opens_again_if_it_comes_back(
    night: Night, altered: dict[str, Any]
) -> None:
    night.hospitals["H1"][DAY][number(4)]["amount_fen"] = 400
    night.run()
    mended = night.differences()["amount", number(4)]
    assert (mended.status, mended.note) == ("cleared", "第2次对账已一致")
    night.hospitals["H1"][DAY][number(4)]["amount_fen"] = 402
    night.run()
    again = night.differences()["amount", number(4)]
    assert (again.id, again.status, again.hospital_fen) == (mended.id, "open", 402)


def test_a_hospital_that_hands_in_the_row_of_another_does_not_stand_in_for_it(night: Night) -> None:
    night.book(range(1, 3))
    row = night.hospitals["H1"][DAY].pop(number(1))
    night.hospitals["H2"][DAY] = {number(1): row}
    seen = night.run()
    assert (seen["sets"]["111"], seen["sets"]["011"]) == (1, 1)
    assert night.differences()["bad_row", "H2:1"].cause == "owner"


def _kinds(rows: dict[tuple[str, str], Difference]) -> set[str]:
    return {kind for kind, _ in rows}


def test_reverse_rows_agree_among_the_parties_with_their_own_words(night: Night) -> None:
    night.book(range(1, 3))
    night.hospitals["H1"][DAY][number(2)] |= {"kind": "reverse", "original_clearing_no": number(1)}
    night.alter_insurer("I1", number(2), kind="reverse", original_clearing_no=number(1))
    assert night.run()["status_differs"] == 1, "the platform's row is a payment"
    assert _kinds(night.differences()) == {"status"}
    row = night.differences()["status", number(2)]
    assert (row.hospital_status, row.platform_status, row.insurer_status) == ("reverse:ok", "ok", "reverse:ok")
    assert row.cause == "status_platform"
