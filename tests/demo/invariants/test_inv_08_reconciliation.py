from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from demo.invariants.books import ROLES, books
from demo.invariants.comparison import SCOPES, SETS, compare
from demo.invariants.inv_08_reconciliation import check
from demo.invariants.scene import Scene
from mock_partners.insurer.server import Insurer
from tests.demo.invariants.kit import DAY, NOON, Ground, Town, clearing_no, one, scene_of, world_with_hospital

ONE, TWO, THREE = (clearing_no(ordinal) for ordinal in (1, 2, 3))
AT_COUNTER = clearing_no(9_000_000_001)
CASHIER = "INSERT INTO his_h1.sf_szz (jsdh, brid, grzf, zt, jzsj) VALUES (%s, 'p', %s, '1', now())"


@pytest.fixture
def scene(town: Town, insurer: Insurer) -> Scene:
    """Three bills in one claim, in the books of all three; one row more at the hospital's counter, one less at the
    insurer, and an amount that differs there."""
    ground = town.ground
    ground.open_hospital()
    claim = town.claim("CL1")
    for ordinal in (1, 2, 3):
        bill = town.bill(f"b{ordinal}", lines=(ordinal * 100,))
        town.clearing(claim, bill, ordinal, business_date=date.fromisoformat(DAY), booked_at=NOON)
        ground.run(CASHIER, f"b{ordinal}", ordinal)
    insurer.book.ledger.book([_packed(ONE, 100), _packed(TWO, 200)], "CL1", "")
    ground.run("INSERT INTO his_h1.gt_lp (qsh, je, zt, ywrq, djsj) VALUES (%s, 5, '1', %s, now())", AT_COUNTER, DAY)
    insurer.book.ledger.alter({"business_date": DAY, "amount": [{"clearing_no": TWO, "amount_fen": 201}]})
    return scene_of(ground, world=world_with_hospital(ground), urls={"I1": insurer.url})


def _packed(number: str, amount_fen: int) -> dict[str, Any]:
    """A bill as it stands in a package: the insurer books its own sum over the lines."""
    return {"clearing_no": number, "fund_fen": 0, "lines": [{"amount_fen": amount_fen}]}


def night(town: Town, scene: Scene, **run: Any) -> UUID:
    """Store what a right comparison of these books finds."""
    own = books(scene)
    right = compare(own)
    counts = {role: _counts(own[role]) for role in ROLES}
    usual = {
        "kind": "parties",
        "business_date": date.fromisoformat(DAY),
        "attempt": 1,
        "status": "differences",
        "counts": counts,
    }
    made = town.ground.add("reconciliation_run", **(usual | run))
    for overall in (True, False):
        differ = {name: len(getattr(right, name)) for name in ("amount_differs", "status_differs")}
        statement = town.ground.add("reconciliation_statement", run_id=made["id"], overall=overall, **differ)
        for name in SETS:
            count = len(right.sets[name])
            town.ground.add("reconciliation_set_count", statement_id=statement["id"], name=name, count=count)
        for scope in SCOPES:
            total = vars(right.totals[scope])
            town.ground.add("reconciliation_total", statement_id=statement["id"], scope=scope, **total)
    for name, numbers in right.sets.items():
        for number in numbers if name != "111" else ():
            _difference(town.ground, made["id"], "presence", number, name)
    for number in right.amount_differs:
        _difference(town.ground, made["id"], "amount", number)
    run_id: UUID = made["id"]
    return run_id


def _counts(book: Any) -> dict[str, int]:
    sum_fen = sum(entry.amount_fen for entry in book.rows.values())
    rows = {"rows": book.declared, "distinct": len(book.rows), "duplicate_rows": 0, "bad_rows": len(book.bad)}
    return {**rows, "readable_fen": sum_fen, "distinct_fen": sum_fen, "duplicate_fen": 0, "bad_fen": 0}


def _difference(ground: Ground, run_id: UUID, kind: str, number: str, found_set: str | None = None) -> None:
    named = {"kind": kind, "key": number, "clearing_no": number, "found_set": found_set}
    ground.add("reconciliation_difference", status="open", first_run_id=run_id, last_run_id=run_id, **named)


def test_the_books_are_read_from_where_they_stand(scene: Scene) -> None:
    right = compare(books(scene))
    assert right.sets["111"] == {ONE, TWO}
    assert right.sets["110"] == {THREE}
    assert right.sets["100"] == {AT_COUNTER}
    assert right.amount_differs == {TWO}
    three = right.totals["three_party"]
    assert (three.count, three.amount_fen, three.success_count, three.success_amount_fen) == (4, 1100, 1, 100)


def test_a_reverse_row_and_a_wrong_number_are_read_too(town: Town, scene: Scene, insurer: Insurer) -> None:
    reverse, wrong = clearing_no(4), str(int(ONE) + 1)
    insurer.book.ledger.reverse(reverse, TWO, "")
    insurer.book.ledger.book([_packed(wrong, 1)], "CL1", "")
    book = books(scene)["insurer"]
    assert book.rows[reverse].status == "reverse:ok"
    assert [entry.clearing_no for entry in book.bad] == [wrong]


def test_a_right_night_is_no_finding(town: Town, scene: Scene) -> None:
    night(town, scene)
    assert check(scene) == []


def test_a_night_that_never_was_is_named_once_the_day_is_over(town: Town, scene: Scene) -> None:
    one(check(scene), f"the night of {DAY} has not been compared")
    assert check(scene_of(town.ground, world=scene.world, finished=False)) == []


def test_a_blocked_night_is_named(town: Town, scene: Scene) -> None:
    night(town, scene, status="blocked")
    one(check(scene), "is blocked")


def test_the_last_attempt_counts(town: Town, scene: Scene) -> None:
    night(town, scene, status="blocked")
    town.ground.loosen("reconciliation_difference")
    night(town, scene, attempt=2)
    assert check(scene) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE reconciliation_set_count SET count = 3 WHERE name = '111'", "set 111: 3 numbers in the run, 2 in"),
        ("UPDATE reconciliation_statement SET amount_differs = 0", "amount_differs: 0 in the run, 1 in the books"),
        (
            "UPDATE reconciliation_total SET amount_fen = amount_fen - 1 WHERE scope = 'three_party'",
            "total three_party",
        ),
        ("DELETE FROM reconciliation_difference WHERE kind = 'amount'", f"amount difference {TWO} is not in the work"),
        ("UPDATE reconciliation_difference SET found_set = '011' WHERE found_set = '110'", f"{THREE}:110 is not in"),
    ],
)
def test_wrong_figures_are_named(town: Town, scene: Scene, change: str, words: str) -> None:
    night(town, scene)
    town.ground.run(change)
    assert any(words in finding for finding in check(scene)), check(scene)


def test_pairs_that_do_not_add_up_are_named(town: Town, scene: Scene) -> None:
    night(town, scene)
    town.ground.run(
        "UPDATE reconciliation_set_count SET count = 1 WHERE name = '111'"
        " AND statement_id IN (SELECT id FROM reconciliation_statement WHERE NOT overall)"
    )
    one(check(scene), "set 111: the pairs' statements add up to 1, overall it is 2")


def test_rows_that_are_not_accounted_for_are_named(town: Town, scene: Scene) -> None:
    night(town, scene)
    town.ground.run("UPDATE reconciliation_run SET counts = jsonb_set(counts, '{insurer,rows}', '9')")
    found = check(scene)
    assert any("insurer: 9 rows were declared, the parts are others" in finding for finding in found)
    assert any("(9, 2, 0, 0) in the run, (2, 2, 0, 0) in the books" in finding for finding in found)
