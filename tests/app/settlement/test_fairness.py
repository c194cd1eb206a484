"""Between hospitals: a guaranteed share each, idle shares lent, and promises that hold and are taken back only once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.exchange.service import NewParty, put_party
from app.settlement import admission, interfaces, moving, promises, rules
from app.settlement.interfaces import shares_of
from tests.app.settlement.kit import SIDES, answer_trials, ask
from tests.app.town import Insured, Town


def limit(town: Town, n: int, window_s: float = 60) -> None:
    town.rows("UPDATE party SET config = jsonb_build_object('n', CAST(:n AS int), 'window_s', CAST(:s AS float))"
              " WHERE code = 'M1'", n=n, s=window_s)  # fmt: skip


def stand(town: Town, count: int, at: str = "H1") -> list[tuple[Insured, str]]:
    """So many people of a hospital in line, in this order, with their trials."""
    people = [town.insured(at=at) for _ in range(count)]
    return [(one, str(ask(town, one, town.bill(one, at=at, settled=False))["id"])) for one in people]


def states(town: Town, line: list[tuple[Insured, str]]) -> list[str]:
    return [who.get(f"/trials/{trial_id}")["status"] for who, trial_id in line]


def free(town: Town, count: int) -> None:
    """So many slots that were taken become free."""
    town.rows("UPDATE quota_slot SET free_at = now() WHERE no IN (SELECT no FROM quota_slot WHERE free_at > now()"
              " ORDER BY no LIMIT :count)", count=count)  # fmt: skip
    town.drain_all("settlement.admit", hurry=True)


def test_idle_shares_are_lent_and_come_back_to_whoever_owns_them(town: Town) -> None:
    limit(town, 2)
    many = stand(town, 4)
    town.drain_all("settlement.admit")
    assert states(town, many) == ["trialling", "trialling", "trial_waiting", "trial_waiting"], "H2 is idle"
    late = stand(town, 2, at="H2")
    free(town, 2)
    assert states(town, many)[2:] == ["trialling", "trial_waiting"], "its own share and no more"
    assert states(town, late) == ["trialling", "trial_waiting"], "though it came later"
    free(town, 2)
    assert (states(town, many)[3], states(town, late)[1]) == ("trialling", "trialling")


def test_what_others_do_makes_no_promise_later(town: Town) -> None:
    limit(town, 2)
    first, second = stand(town, 2)
    promised = [who.get(f"/trials/{trial_id}")["expected_at"] for who, trial_id in (first, second)]
    stand(town, 3, at="H2")
    found = [datetime.fromisoformat(who.get(f"/trials/{trial_id}")["expected_at"]) for who, trial_id in (first, second)]
    assert found[0] <= town.runtime.clock.now() + rules.SOONEST and found[1] <= datetime.fromisoformat(promised[1])
    town.drain_all("settlement.admit")
    who, trial_id = second
    assert who.get(f"/trials/{trial_id}")["expected_at"] <= promised[1], "also while the first is under way"
    answer_trials(town, SIDES)
    assert who.get(f"/trials/{trial_id}")["expected_at"] <= promised[1]


def later(town: Town) -> list[Any]:
    return [tuple(row) for row in town.rows("SELECT account_id FROM notice WHERE template = 'trial_later'")]


def test_a_promise_that_cannot_be_kept_is_taken_back_once(town: Town) -> None:
    limit(town, 2)
    ((who, trial_id),) = stand(town, 1)
    _look(town)
    assert not later(town)
    _in_vain(town)
    for told in (1, 2):
        town.rows("UPDATE settlement SET promised_at = promised_at - interval '1 hour'")
        for _ in range(3):
            _look(town)
        assert later(town) == [(who.account_id,)] * told
        put_off = town.value("SELECT promised_at - now() FROM settlement")
        assert abs(put_off - 2**told * rules.LATER) < timedelta(seconds=30), "each time twice as far"
    found = who.get(f"/trials/{trial_id}")
    assert found["place"] == 1 and found["expected_at"]


def test_a_line_that_stands_still_says_so_and_moves_nobody_back(town: Town) -> None:
    """Nobody fetches what is sent to the interface: everybody who is admitted comes back into the line."""
    limit(town, 2)
    line = stand(town, 4)
    first = [who.get(f"/trials/{trial_id}") for who, trial_id in line]
    assert [one["place"] for one in first] == [1, 2, 3, 4] and {one["delayed"] for one in first} == {None}
    _in_vain(town)
    _look(town)
    again = [who.get(f"/trials/{trial_id}") for who, trial_id in line]
    assert [one["place"] for one in again] == [1, 2, 3, 4]
    assert [one["expected_at"] for one in again[1:]] == [one["expected_at"] for one in first[1:]], "slots are free now"
    _pass(town)
    passed = [who.get(f"/trials/{trial_id}") for who, trial_id in line]
    assert {one["expected_at"] for one in passed} == {None} and {one["delayed"] for one in passed} == {rules.DELAYED}
    assert not later(town)
    for _ in range(2):
        _look(town)
    told = [who.get(f"/trials/{trial_id}") for who, trial_id in line]
    assert len(later(town)) == 4 and {one["delayed"] for one in told} == {rules.DELAYED}
    _in_vain(town)
    _look(town)
    assert [who.get(f"/trials/{trial_id}")["expected_at"] for who, trial_id in line] == [
        one["expected_at"] for one in told
    ]
    (joined,) = stand(town, 1)
    new = joined[0].get(f"/trials/{joined[1]}")
    assert new["place"] == 5 and new["expected_at"] >= told[3]["expected_at"], "nobody comes before those ahead"


def test_who_is_being_tried_stands_ahead_until_answered(town: Town) -> None:
    limit(town, 2)
    line = stand(town, 4)
    town.drain_all("settlement.admit")
    assert [who.get(f"/trials/{trial_id}")["place"] for who, trial_id in line] == [None, None, 3, 4]
    answer_trials(town, SIDES)
    assert [who.get(f"/trials/{trial_id}")["place"] for who, trial_id in line] == [None, None, 1, 2]


def test_once_the_interface_answers_again_the_time_gets_better(town: Town) -> None:
    limit(town, 2)
    line = stand(town, 3)
    _in_vain(town)
    _pass(town)
    _look(town)
    who, trial_id = line[2]
    put_off = who.get(f"/trials/{trial_id}")["expected_at"]
    town.drain_all("settlement.admit", hurry=True)
    answer_trials(town, SIDES)
    _look(town)
    assert who.get(f"/trials/{trial_id}")["expected_at"] < put_off


def _in_vain(town: Town) -> None:
    """Whoever is admitted comes back: the agent was not there."""
    town.drain_all("settlement.admit", hurry=True)
    assert answer_trials(town, {}, outcome="unknown", code="not_handed_out")


def _pass(town: Town) -> None:
    """What was promised is past."""
    town.rows("UPDATE settlement SET promised_at = now() - interval '6 seconds'")


def test_a_better_time_becomes_the_promise_without_a_word(town: Town) -> None:
    limit(town, 2)
    *_, (who, trial_id) = stand(town, 3)
    town.rows("UPDATE settlement SET promised_at = now() + interval '1 hour'")
    _look(town)
    assert town.value("SELECT count(*) FROM settlement WHERE promised_at > now() + interval '59 minutes'") == 3, (
        "slots that are free and that nobody takes promise nothing"
    )
    town.drain_all("settlement.admit")
    _look(town)
    shown = datetime.fromisoformat(who.get(f"/trials/{trial_id}")["expected_at"])
    assert shown < town.runtime.clock.now() + timedelta(minutes=2) and not later(town)


def _look(town: Town) -> None:
    with town.runtime.work() as work:
        promises.look(work)


@pytest.mark.parametrize(
    ("n", "given", "shares"),
    [
        (10, {}, {"A": 3, "B": 3, "C": 3}),
        (10, {"A": 6}, {"A": 6, "B": 2, "C": 2}),
        (10, {"A": 1, "B": 2, "C": 3}, {"A": 1, "B": 2, "C": 3}),
        (2, {}, {}),
        (10, {"A": 9}, {}),
        (5, {"A": 3, "B": 2, "C": 1}, {}),
    ],
)
def test_everybody_has_a_share_or_nobody(n: int, given: dict[str, int], shares: dict[str, int]) -> None:
    assert shares_of(["A", "B", "C"], n, given) == shares


def test_shares_that_cannot_be_are_refused_at_the_start(town: Town) -> None:
    with town.runtime.read() as session:
        interfaces.require_shares(session)
    limit(town, 1)
    with town.runtime.read() as session, pytest.raises(ValueError, match="M1 admits 1 trials"):
        interfaces.require_shares(session)


def test_a_hospital_at_an_interface_that_nobody_knows_is_refused_at_the_start(town: Town) -> None:
    town.rows("UPDATE party SET config = config || '{\"interface\": \"M9\"}' WHERE code = 'H1'")
    with town.runtime.read() as session, pytest.raises(ValueError, match="H1 settles at M9"):
        interfaces.require_shares(session)


def test_who_waits_while_the_hospital_goes_over_is_tried_at_the_new_interface(town: Town) -> None:
    ((who, trial_id),) = stand(town, 1)
    old, new = _go_over(town, "H1")
    with town.runtime.work() as work:
        assert admission.admit(work, old) is None, "nobody waits here whom it could admit"
    _sweep(town)
    assert states(town, [(who, trial_id)]) == ["trialling"]
    assert town.value("SELECT interface_id FROM settlement") == new
    assert town.value("SELECT party_id FROM command WHERE kind = 'trial'") == new


def test_who_comes_over_keeps_the_order_and_stands_behind_those_who_wait_there(town: Town) -> None:
    coming = stand(town, 2)
    _, new = _go_over(town, "H2")
    there = stand(town, 1, at="H2")
    _go_over(town, "H1")
    with town.runtime.work() as work:
        moving.move_lines(work)
    in_line = [row.id for row in town.rows("SELECT id FROM settlement WHERE interface_id = :i ORDER BY line_no", i=new)]
    assert [str(one) for one in in_line] == [trial_id for _, trial_id in (*there, *coming)]


def test_who_has_a_place_there_already_comes_when_that_one_is_tried(town: Town) -> None:
    ((who, trial_id),) = stand(town, 1)
    _go_over(town, "H2")
    stand(town, 1, at="H2")
    town.rows("UPDATE settlement SET person_id = :person WHERE id <> :id", person=who.person_id, id=trial_id)
    _go_over(town, "H1")
    _sweep(town)
    assert states(town, [(who, trial_id)]) == ["trial_waiting"]
    town.rows("UPDATE settlement SET status = 'trialled' WHERE status = 'trialling'")
    _sweep(town)
    assert states(town, [(who, trial_id)]) == ["trialling"]


def _go_over(town: Town, hospital: str) -> tuple[UUID, UUID]:
    """From now on this hospital settles at M2; the ids of M1 and M2."""
    with town.runtime.work() as work:
        new = put_party(work, NewParty("medical_insurance", "M2", "另一家医保局", {"n": 10, "window_s": 60.0}))
    town.rows('UPDATE party SET config = config || \'{"interface": "M2"}\' WHERE code = :code', code=hospital)
    old: UUID = town.value("SELECT id FROM party WHERE code = 'M1'")
    return old, new


def _sweep(town: Town) -> None:
    with town.runtime.work() as work:
        work.later("settlement.sweep", None)
    town.drain_all("settlement.sweep", "settlement.admit")
