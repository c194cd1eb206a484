"""Several batches in one turn of a worker: one transaction a hospital, and nobody the worse for his neighbour."""

from __future__ import annotations

from typing import Any

from tests.app.patients import House
from tests.app.record import kit

APPLIED = ("applied", None)


def push(house: House, *batches: list[dict[str, Any]], code: str = "H1") -> list[int]:
    """Their numbers; they are not applied yet."""
    return [house.push(rows, code=code) for rows in batches]


def transactions_of(house: House, *keys: str) -> int:
    """How many transactions these visits were stored in."""
    return house.value("SELECT count(DISTINCT xmin::text) FROM visit WHERE key = ANY(:keys)", keys=list(keys))


def test_a_hospitals_batches_that_are_due_together_are_stored_together(house: House) -> None:
    mine, theirs = [kit.key() for _ in range(3)], kit.key()
    numbers = push(house, *([kit.visit(key)] for key in mine))
    (other,) = push(house, [kit.visit(theirs)], code="H2")
    house.drain_all("record.apply")
    assert [house.verdicts(number) for number in numbers] == [[APPLIED]] * 3
    assert house.verdicts(other, "H2") == [APPLIED]
    assert transactions_of(house, *mine) == 1
    assert transactions_of(house, *mine, theirs) == 2


def test_a_bulk_of_batches_is_stored_in_bounded_parts(house: House) -> None:
    keys = [kit.key() for _ in range(9)]
    push(house, *([kit.visit(key)] for key in keys))
    house.drain_all("record.apply")
    assert transactions_of(house, *keys) == 3


def test_versions_in_batches_that_are_applied_together_end_with_the_newest(house: House) -> None:
    k = kit.key()
    numbers = push(house, *([kit.visit(k, version, department_name=f"v{version}")] for version in (1, 3, 2, 3)))
    house.drain_all("record.apply")
    verdicts = [house.verdicts(number) for number in numbers]
    assert verdicts == [[APPLIED], [APPLIED], [("stale", None)], [("unchanged", None)]]
    assert house.value("SELECT department_name FROM visit WHERE key = :k", k=k) == "v3"


def test_a_parent_in_the_next_batch_is_found_at_once(house: House) -> None:
    v, r = kit.key("v"), kit.key("r")
    numbers = push(house, [kit.report(r, v)], [kit.visit(v)])
    house.drain_all("record.apply")
    assert [house.verdicts(number) for number in numbers] == [[APPLIED]] * 2
    assert house.value("SELECT count(*) FROM task WHERE kind = 'record.apply'") == 0


def test_only_the_batch_that_waits_is_tried_again(house: House) -> None:
    whole, lonely = kit.whole(), kit.report(kit.key(), kit.key("never"))
    first, second = push(house, list(whole.values()), [lonely])
    house.drain_all("record.apply")
    assert house.verdicts(first) == [APPLIED] * 8
    assert house.verdicts(second) == [("waiting_parent", None)]
    waiting = house.rows("SELECT subject FROM task WHERE kind = 'record.apply'")
    assert [row.subject for row in waiting] == [house.value("SELECT id FROM batch WHERE batch_no = :n", n=second)]
    house.rows("DELETE FROM task WHERE kind = 'record.apply'")


def test_a_batch_that_was_altered_fails_alone(house: House) -> None:
    keys = [kit.key() for _ in range(3)]
    first, spoiled, last = push(house, *([kit.visit(key)] for key in keys))
    house.rows("UPDATE batch SET rows_sealed = rows_sealed || 'A' WHERE batch_no = :n", n=spoiled)
    house.drain_all("record.apply")
    assert house.verdicts(first) == house.verdicts(last) == [APPLIED]
    assert house.verdicts(spoiled) == []
    assert house.value("SELECT count(*) FROM visit WHERE key = ANY(:keys)", keys=keys) == 2
    (dead,) = house.rows("DELETE FROM task WHERE kind = 'record.apply' RETURNING status, last_error")
    assert dead.status == "dead" and dead.last_error.startswith("Tampered")


def test_a_batch_that_is_due_twice_is_applied_once(house: House) -> None:
    (number,) = push(house, [kit.visit(kit.key())])
    batch_id = house.value("SELECT id FROM batch WHERE batch_no = :n", n=number)
    with house.runtime.work() as work:
        work.later("record.apply", batch_id)
    house.drain_all("record.apply")
    assert house.verdicts(number) == [APPLIED]
    assert house.value("SELECT count(*) FROM task WHERE kind = 'record.apply'") == 0
