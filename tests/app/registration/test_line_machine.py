"""The line's order whatever the hospital answers, whoever is killed, and whenever: the real service on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.exchange.commands import take_answers
from app.exchange.contracts import AnswerIn
from app.exchange.hand_out import Ask, Handed, hand_out
from app.registration import asking, service
from app.registration.rules import NOT_THERE, TRIES_IN_PLACE
from tests.app.patients import Known
from tests.app.registration.kit import Line
from tests.examples import sequences

M, PEOPLE = 2, 7
EMPTY = (
    "DELETE FROM registration",
    "DELETE FROM command_reply",
    "DELETE FROM command",
    "DELETE FROM task",
    "DELETE FROM patient_number",
)
ANSWERS: dict[str, dict[str, Any]] = {
    "done": {"outcome": "done"},
    "failed": {"outcome": "failed", "code": "his_busy"},
    "unknown": {"outcome": "unknown", "code": "no_answer"},
    "refused": {"outcome": "refused", "code": "blacklisted"},
    "garbled": {"outcome": "done", "body": {"patient_no": 7}},
}
stage: tuple[Line, list[Known]] | None = None


def _is_asked_alone(row: Any) -> bool:
    """Every one of its failures was its own, as the hospital has said."""
    return 0 < row.tries == row.failures < TRIES_IN_PLACE and row.last_code not in NOT_THERE


class Order(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        assert stage is not None
        self.line, self.people = stage
        self.house = self.line.house
        self.hospital_id = self.house.hospital_id()
        self.partner_id: UUID = self.house.value("SELECT id FROM partner WHERE party_id = :id", id=self.hospital_id)
        self.entered = 0
        self.open: list[Handed] = []
        self.registered: dict[str, str] = {}

    @initialize()
    def an_empty_line(self) -> None:
        for emptied in EMPTY:
            self.house.rows(emptied)

    @precondition(lambda self: self.entered < PEOPLE)
    @rule()
    def somebody_enters(self) -> None:
        booked = self.line.booked(self.people[self.entered])
        with self.house.runtime.work() as work:
            service.enter(work, [booked])
        self.entered += 1

    @rule(killed=st.booleans())
    def a_worker_polls(self, killed: bool) -> None:
        """One that is killed before its commit has done nothing."""
        if killed:
            with pytest.raises(KeyboardInterrupt), self.house.runtime.work() as work:
                service.poll(work, self.hospital_id)
                raise KeyboardInterrupt
            return
        before = self._rows()
        with self.house.runtime.work() as work:
            service.poll(work, self.hospital_id)
        self._judge_poll(before, self._rows())

    def _judge_poll(self, before: list[Any], after: list[Any]) -> None:
        """Nobody behind an entry that keeps its place was taken before it, nor with it once it has failed by itself; no
        more than m are in hand."""
        was = {row.id: row for row in before}
        taken = [row.line_no for row in after if row.status == "registering" and was[row.id].status == "queued"]
        left = [row.line_no for row in after if row.status == "queued" and row.tries < TRIES_IN_PLACE]
        assert not taken or not left or max(taken) < min(left), (taken, left)
        alone = [row.line_no for row in after if row.status in ("queued", "registering") and _is_asked_alone(row)]
        assert not taken or not alone or max(taken) <= min(alone), (taken, alone)
        assert sum(row.status == "registering" for row in after) <= M

    @rule()
    def the_agent_fetches(self) -> None:
        with self.house.runtime.work() as work:
            self.open += hand_out(work, Ask(self.hospital_id, 20, [asking.LANE]))

    @precondition(lambda self: self.open)
    @rule(data=st.data(), how=st.sampled_from([*ANSWERS, "done", "failed", "failed"]))
    def the_hospital_answers(self, data: st.DataObject, how: str) -> None:
        """In any order: it works on several at once."""
        self._answer(self.open.pop(data.draw(st.integers(0, len(self.open) - 1))), how)

    def _answer(self, command: Handed, how: str) -> None:
        said: dict[str, Any] = dict(ANSWERS[how])
        if how == "done":
            no = command.body["registration_no"]
            said["body"] = {"patient_no": self.registered.setdefault(no, f"P{no}")}
        with self.house.runtime.work() as work:
            take_answers(work, self.partner_id, self.hospital_id, [AnswerIn(id=command.id, **said)])
        self.house.drain_all("registration.answered")

    @rule()
    def rests_end(self) -> None:
        self.line.rest_is_over()

    @rule()
    def an_operator_puts_back_whoever_stepped_aside(self) -> None:
        for row in self._rows():
            if row.status == "queued" and row.tries >= TRIES_IN_PLACE:
                with self.house.runtime.work() as work:
                    service.put_back(work, row.id, None)

    def _rows(self) -> list[Any]:
        return self.house.rows("SELECT * FROM registration ORDER BY line_no")

    @invariant()
    def nothing_is_lost_or_doubled_and_the_first_asks_follow_the_line(self) -> None:
        if not self.entered:
            return
        rows = self._rows()
        assert [row.person_id for row in rows] == [one.person_id for one in self.people[: self.entered]]
        asked = self.house.rows(
            "SELECT r.line_no FROM command c JOIN registration r ON r.id = c.subject WHERE c.kind = 'register'"
            " GROUP BY r.line_no ORDER BY min(c.number)"
        )
        assert asked == sorted(asked)

    def teardown(self) -> None:
        """From now on the hospital registers whomever it is asked for."""
        for _ in range(3 * PEOPLE):
            self.rests_end()
            self.a_worker_polls(killed=False)
            self.the_agent_fetches()
            while self.open:
                self._answer(self.open.pop(0), "done")
        for row in self._rows():
            assert row.status in ("registered", "failed") and (row.status == "failed") == (row.refused_code is not None)
            assert row.status == "failed" or self.registered[row.no] == f"P{row.no}"


@pytest.fixture
def on_stage(line: Line) -> Iterator[None]:
    global stage
    house = line.house
    usual = house.runtime.settings
    house.runtime.settings = usual.model_copy(update={"registration_batch": M})
    stage = (line, [house.known() for _ in range(PEOPLE)])
    yield
    house.runtime.settings = usual
    stage = None


def test_the_line_keeps_its_order(on_stage: None) -> None:
    run_state_machine_as_test(Order, settings=sequences)
