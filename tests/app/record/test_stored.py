"""What is stored is found by the hospital's keys, among few and many, inside and outside of what is there."""

from __future__ import annotations

import pytest

from app.record import stored
from tests.app.patients import House
from tests.app.record import kit


@pytest.mark.parametrize("others", [0, 150])
def test_keys_that_are_stored_are_found_among_any_number(house: House, others: int) -> None:
    mark = kit.key("visits")
    house.apply([kit.visit(f"{mark}-{number:03d}", number) for number in (100, 300)])
    keys = [f"{mark}-{number:03d}" for number in (100, 300, *range(110, 110 + others))]
    with house.runtime.read() as session:
        found = stored.known(session, house.hospital_id(), "visit", keys)
        assert {key: one.version for key, one in found.items()} == {f"{mark}-100": 100, f"{mark}-300": 300}
        assert stored.known(session, house.hospital_id("H2"), "visit", keys) == {}
        assert stored.known(session, house.hospital_id(), "visit", []) == {}


@pytest.mark.parametrize("first", [0, 101, 301])
def test_many_keys_before_between_and_behind_what_is_stored_are_new(house: House, first: int) -> None:
    mark = kit.key("visits")
    house.apply([kit.visit(f"{mark}-{number:05d}") for number in (200, 600)])
    keys = [f"{mark}-{number:05d}" for number in range(2 * first, 2 * first + 198)]
    with house.runtime.read() as session:
        assert stored.known(session, house.hospital_id(), "visit", keys) == {}


def test_a_child_is_found_with_its_parent(house: House) -> None:
    whole = kit.whole()
    house.apply(list(whole.values()))
    with house.runtime.read() as session:
        bill = stored.known(session, house.hospital_id(), "bill", [whole["bill"]["key"]])
        lines = stored.known(session, house.hospital_id(), "fee_line", [whole["fee_line"]["key"]])
    assert [line.parent_id for line in lines.values()] == [one.id for one in bill.values()]
