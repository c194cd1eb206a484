"""Booking and the waiting list as one machine: whatever happens in whatever order, places, order and money hold."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from app.appointment import contracts as c
from app.appointment import service
from app.appointment.waiting import contracts as w
from app.appointment.waiting import offers
from app.appointment.waiting import service as waiting
from app.core.errors import Problem
from app.exchange.service import CommandAnswer
from app.payment import service as payment
from tests.app.appointment.crowd import One, crowd
from tests.app.appointment.kit import Desk
from tests.examples import sequences

FEE = 2500
PICK, FEES = st.integers(0, 4), st.sampled_from([0, FEE])
FOLLOWERS = ("appointment.fee_paid", "appointment.fee_closed", "appointment.fill")
_HOLDING = ("pending", "booked", "attended", "no_show")


class Booking(RuleBasedStateMachine):
    """Five people and one slot, full at first, with a line before it. What a rule may not do is refused with a Problem;
    every other error is a bug. `pick` chooses among what there is to act on, so that few steps are idle."""

    def __init__(self, desk: Desk, people: list[One]) -> None:
        super().__init__()
        self.desk, self.people = desk, people
        self.slot_id, self.version, self.offered_once = UUID(int=0), 1, set[UUID]()

    @initialize(capacity=st.integers(1, 2), fee_fen=FEES)
    def open(self, capacity: int, fee_fen: int) -> None:
        self.slot_id = self.desk.slot(capacity=capacity, fee_fen=fee_fen)
        for who in range(capacity):
            self.book(who)
        for who in range(capacity, 4):
            self.join(who)

    @rule(who=PICK)
    def book(self, who: int) -> None:
        one = self.people[who]
        wanted = c.Book(person_id=one.person_id, slot_id=self.slot_id)
        self._try(lambda work: service.book(work, one.account_id, wanted))

    @rule(who=PICK)
    def join(self, who: int) -> None:
        one = self.people[who]
        wanted = w.Join(person_id=one.person_id, slot_id=self.slot_id)
        self._try(lambda work: waiting.join(work, one.account_id, wanted))

    @rule(pick=PICK)
    def accept(self, pick: int) -> None:
        for row in self._pick("waiting_entry", pick, ("offered",)):
            self._try(lambda work, row=row: waiting.accept(work, row.account_id, row.id))

    @rule(pick=PICK)
    def leave(self, pick: int) -> None:
        for row in self._pick("waiting_entry", pick):
            self._try(lambda work, row=row: waiting.leave(work, row.account_id, row.id))

    @rule(pick=PICK)
    def lapse(self, pick: int) -> None:
        for row in self._pick("waiting_entry", pick, ("offered",)):
            self._rows("UPDATE waiting_entry SET offer_until = now() WHERE id = :row", row=row.id)
            self._try(lambda work, row=row: offers.lapse(work, row.id))

    @rule(pick=PICK)
    def cancel(self, pick: int) -> None:
        for row in self._pick("appointment", pick, ("pending", "booked")):
            self._try(lambda work, row=row: service.cancel(work, row.account_id, row.id))

    @rule(pick=PICK)
    def pay(self, pick: int) -> None:
        """Also what was given up already, and also twice."""
        for row in self._pick("appointment", pick):
            if row.payment_order_id is not None:
                trade = {"amount": {"total": FEE}, "transaction_id": row.payment_order_id.hex}
                self._try(lambda work, row=row, trade=trade: payment.paid(work, row.payment_order_id, trade))
        self.desk.house.drain_all(*FOLLOWERS)

    @rule(pick=PICK)
    def do_not_pay(self, pick: int) -> None:
        for row in self._pick("appointment", pick, ("pending",)):
            if row.payment_order_id is not None:
                self._try(lambda work, row=row: payment.closed(work, row.payment_order_id))
        self.desk.house.drain_all(*FOLLOWERS)

    @rule(pick=PICK, outcome=st.sampled_from(["done", "done", "refused", "failed"]))
    def answer(self, pick: int, outcome: str) -> None:
        for row in self._pick("appointment", pick):
            if row.command_id is not None:
                said = CommandAnswer(
                    command_id=row.command_id,
                    party_id=self.desk.house.hospital_id(),
                    partner_id=None,
                    kind="confirm_appointment",
                    subject=row.id,
                    outcome=outcome,
                    code="slot_full",
                    message=None,
                    body={},
                    answered_at=datetime.now(UTC),
                )
                self._try(lambda work, said=said: service.hospital_answered(work, said))

    @rule(pick=PICK)
    def attend(self, pick: int) -> None:
        for row in self._pick("appointment", pick, ("booked",)):
            self._try(lambda work, row=row: service.attended(work, self.desk.house.hospital_id(), row.no))

    @rule(capacity=st.integers(0, 3), status=st.sampled_from(["open"] * 9 + ["stopped"]))
    def push(self, capacity: int, status: str) -> None:
        self.version += 1
        self.desk.change(self.slot_id, self.version, capacity=capacity, status=status)

    @invariant()
    def places_add_up(self) -> None:
        for slot in self._rows("SELECT * FROM slot WHERE id = :id"):
            held = sum(row.status in _HOLDING for row in self._all("appointment"))
            held += sum(row.status == "offered" for row in self._all("waiting_entry"))
            assert slot.taken == held <= slot.capacity <= max(slot.allotment, held)

    @invariant()
    def nobody_waits_beside_a_free_place(self) -> None:
        for slot in self._rows("SELECT * FROM slot WHERE id = :id"):
            live = self._persons("appointment", ("pending", "booked"))
            waits = [p for p in self._persons("waiting_entry", ("waiting",)) if p not in live]
            assert slot.stopped or slot.taken == slot.capacity or not waits
            assert not slot.stopped or not self._persons("waiting_entry", ("waiting", "offered"))

    @invariant()
    def each_person_once(self) -> None:
        for table, live in (("appointment", ("pending", "booked")), ("waiting_entry", ("waiting", "offered"))):
            found = self._persons(table, live)
            assert len(found) == len(set(found))

    @invariant()
    def offers_go_in_order(self) -> None:
        """Whoever is offered a place for the first time stood before everybody who still waits."""
        live = self._persons("appointment", ("pending", "booked"))
        entries = self._all("waiting_entry")
        waits = [row.line_no for row in entries if row.status == "waiting" and row.person_id not in live]
        for row in entries:
            if row.offered_slot_id is not None and row.id not in self.offered_once:
                self.offered_once.add(row.id)
                assert all(row.line_no < line_no for line_no in waits)

    @invariant()
    def money_owed_is_money_refunded(self) -> None:
        for row in self._all("appointment"):
            for order in self._rows("SELECT * FROM payment_order WHERE id = :row", row=row.payment_order_id):
                back = self._rows("SELECT * FROM refund WHERE order_id = :row", row=order.id)
                owed = order.paid_at is not None and row.status not in _HOLDING
                assert [refund.amount_fen for refund in back] == ([FEE] if owed else []), (row.status, order.status)

    def _try(self, what: Any) -> None:
        try:
            with self.desk.house.runtime.work() as work:
                what(work)
        except Problem:
            pass

    def _rows(self, query: str, **values: Any) -> Any:
        bound = {"id": self.slot_id} if ":id" in query else {}
        return self.desk.house.rows(query, **bound, **values) or []

    def _all(self, table: str) -> Any:
        return self._rows(f"SELECT * FROM {table} WHERE slot_id = :id ORDER BY id")  # noqa: S608

    def _persons(self, table: str, states: tuple[str, ...]) -> list[UUID]:
        return [row.person_id for row in self._all(table) if row.status in states]

    def _pick(self, table: str, pick: int, states: tuple[str, ...] = ()) -> Any:
        """One of the rows in these states (of all without any); nothing where there is none."""
        found = [row for row in self._all(table) if not states or row.status in states]
        return [found[pick % len(found)]] if found else []


def test_booking_and_waiting_hold_in_every_order(desk: Desk) -> None:
    people = crowd(desk, 5)
    made: Any = partial(Booking, desk, people)
    run_state_machine_as_test(made, settings=sequences)
