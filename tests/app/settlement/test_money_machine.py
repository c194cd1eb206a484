"""Money ends whole: whatever is paid, lost, refused, repeated or changed on the way, in the end both halves are done or
both are undone. The real services on PostgreSQL against a model of what truly happened at WeChat and the interface.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.core.ids import new_id, partner_number
from app.exchange.commands import expire, take_answers
from app.exchange.contracts import AnswerIn
from app.exchange.hand_out import Ask, Handed, hand_out
from app.payment import service as payment
from app.record import queries as record
from app.settlement import rules, service
from app.settlement.models import Settlement
from app.settlement.states import State, settlements
from tests.app.town import Insured, Town
from tests.examples import sequences

SIDES = {"fund_fen": 6_000, "account_fen": 1_000, "self_pay_fen": 3_000}
FREE = {"fund_fen": 9_000, "account_fen": 1_000, "self_pay_fen": 0}
KINDS = tuple(f"settlement.{name}" for name in (
    "ask", "delayed", "insurance_answered", "query", "query_answered", "reversal_told", "reverse", "reverse_answered",
    "self_paid", "self_pay_closed", "self_pay_refunded", "tell", "tell_reversed", "told"))  # fmt: skip
stage: tuple[Town, Insured] | None = None


class Money(RuleBasedStateMachine):
    """`interface` is what the interface has: none, settled or reversed; `trial_closed` after its fees were taken back;
    `late` while a 2207 is on its way there. `booked` is what the hospital has, `paid`, `refunded` what WeChat Pay has.
    Nobody answers a second request as the first: it is refused."""

    def __init__(self) -> None:
        super().__init__()
        assert stage is not None
        self.town, self.who = stage
        self.parties = {row.code: row for row in self.town.rows(
            "SELECT p.code, p.id, q.id AS partner_id FROM party p JOIN partner q ON q.party_id = p.id")}  # fmt: skip
        self.open: list[tuple[str, Handed]] = []
        self.interface, self.settled_times = "none", 0
        self.paid = self.refunded = self.closed = self.late = self.booked = self.trial_closed = False
        self.sides = self.now = SIDES

    @initialize(sides=st.sampled_from([SIDES, SIDES, FREE]))
    def a_trial_is_settled(self, sides: dict[str, int]) -> None:
        for emptied in ("DELETE FROM task", "DELETE FROM command_reply", "DELETE FROM command"):
            self.town.rows(emptied)
        self.sides = self.now = sides
        bill_id = self.town.bill(self.who, settled=False)
        with self.town.runtime.work() as work:
            bill = record.bill(work.session, bill_id)
            assert bill is not None
            row = Settlement(
                no=partner_number("st"), interface_id=self.parties["M1"].id, line_no=time.time_ns() // 1000,
                hospital_id=bill.hospital_id, bill_id=bill_id, account_id=self.who.account_id,
                person_id=self.who.person_id, trial_no=partner_number("tr"), total_fen=bill.total_fen, **sides,
                bill_content=record.contents(work.session, [bill_id])[bill_id],
            )  # fmt: skip
            row.id, row.valid_until = new_id(), work.now + rules.TRIAL_LIFE
            settlements.start(work, row, State.TRIALLED)
            self.id = row.id
        with self.town.runtime.work() as work:
            service.settle(work, self.who.account_id, self.id)
        self._work()

    def _row(self) -> Any:
        return self.town.rows("SELECT * FROM settlement WHERE id = :id", id=self.id)[0]

    def _order(self) -> Any:
        found = self.town.rows("SELECT o.* FROM payment_order o JOIN settlement s ON s.payment_order_id = o.id"
                               " WHERE s.id = :id", id=self.id)  # fmt: skip
        return found[0] if found else None

    def _work(self, *, hurry: bool = False) -> None:
        """Workers work, and agents fetch what there is for them."""
        self.town.drain_all(*KINDS, hurry=hurry)
        for code in ("M1", "H1"):
            with self.town.runtime.work() as work:
                handed = hand_out(work, Ask(self.parties[code].id, 20, ["settlement"]))
            self.open += [(code, one) for one in handed]

    @precondition(lambda self: self._order() is not None and not self.paid and not self.closed)
    @rule(times=st.integers(1, 3))
    def the_patient_pays(self, times: int) -> None:
        """Told by notification, by query, or by both."""
        self.paid = True
        order, trade = self._order(), {"amount": {"total": self.sides["self_pay_fen"]}, "transaction_id": "t"}
        for _ in range(times):
            with self.town.runtime.work() as work:
                payment.paid(work, order.id, trade)
        self._work()

    @precondition(lambda self: self._order() is not None and not self.paid and not self.closed)
    @rule()
    def nobody_pays_in_time(self) -> None:
        self.closed = True
        with self.town.runtime.work() as work:
            payment.closed(work, self._order().id)
        self._work()

    @rule()
    def the_bill_is_settled_at_the_counter(self) -> None:
        self.town.rows("UPDATE bill SET state = 'settled' WHERE id = (SELECT bill_id FROM settlement WHERE id = :id)",
                       id=self.id)  # fmt: skip

    @rule()
    def time_passes(self) -> None:
        """What nobody answers is overdue, or handed out again."""
        self.town.rows("UPDATE command SET created_at = created_at - interval '2 minutes', deadline = deadline -"
                       " interval '2 minutes', answer_by = answer_by - interval '2 minutes',"
                       " handed_at = handed_at - interval '2 minutes'"
                       " WHERE status IN ('open', 'fetched')")  # fmt: skip
        with self.town.runtime.work() as work:
            expire(work)
        self._work(hurry=True)

    @rule()
    def an_hour_passes(self) -> None:
        """Longer than anybody has patience for."""
        self.town.rows("UPDATE settlement SET paid_at = paid_at - interval '1 hour',"
                       " status_since = status_since - interval '1 hour' WHERE id = :id", id=self.id)  # fmt: skip
        self.time_passes()

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def an_agent_loses_a_command(self, data: st.DataObject) -> None:
        """Killed before it was sent, with its store."""
        self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))

    @precondition(lambda self: self.late)
    @rule()
    def what_was_late_arrives(self) -> None:
        self.late = False
        if self.interface == "none" and not self.trial_closed:
            self._commit()

    @precondition(lambda self: self.open)
    @rule(
        data=st.data(),
        how=st.sampled_from(["done", "done", "lost", "late", "never", "failed", "refused", "garbled", "differs"]),
        again=st.booleans(),
    )
    def a_partner_answers(self, data: st.DataObject, how: str, again: bool) -> None:
        """Done; done and the answer lost; not done and the answer lost; certainly not done; refused; done and not to be
        read; done with other amounts. The answer may come twice."""
        code, command = self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))
        for _ in range(1 + again):
            self._answer(code, command, how)
        self._work()

    def _answer(self, code: str, command: Handed, how: str) -> None:
        said: dict[str, Any] = {"outcome": "done", "body": {}}
        if how in ("never", "failed"):
            said = {"outcome": "unknown" if how == "never" else "failed", "code": "no_answer"}
        elif command.kind == "settle":
            said = self._settle(how)
        elif command.kind == "query_settlement":
            said["body"] = self._find(final=bool(command.body["final"]))
        elif command.kind == "reverse":
            said = self._reverse()
        elif command.kind == "settlement_notice" and (how == "refused" or self.booked):
            said = {"outcome": "refused", "code": "already_settled"}
        elif command.kind in ("settlement_notice", "settlement_reversed"):
            self.booked = command.kind == "settlement_notice"
        if how == "lost":
            said = {"outcome": "unknown", "code": "no_answer"}
        if how == "garbled" and said["outcome"] == "done":
            said["body"] = {"nothing": 1}
        with self.town.runtime.work() as work:
            party = self.parties[code]
            take_answers(work, party.partner_id, party.id, [AnswerIn(id=command.id, **said)])

    def _settle(self, how: str) -> dict[str, Any]:
        """2207. What comes late is there whenever it likes, also after it was asked for in vain."""
        if self.interface != "none":
            return {"outcome": "refused", "code": "SETTLED"}
        if self.trial_closed:
            return {"outcome": "refused", "code": "ORDER"}
        if how == "refused":
            return {"outcome": "refused", "code": "AMOUNT"}
        if how == "late":
            self.late = True
            return {"outcome": "unknown", "code": "no_answer"}
        self._commit()
        if how == "differs":
            self.now = {**self.sides, "fund_fen": self.sides["fund_fen"] - 500,
                        "account_fen": self.sides["account_fen"] + 500}  # fmt: skip
        return {"outcome": "done", "body": {"setl_id": "S1", **self.now}}

    def _commit(self) -> None:
        self.interface, self.settled_times = "settled", self.settled_times + 1

    def _find(self, *, final: bool) -> dict[str, Any]:
        """ZP02; a final question takes the fees back before, which is refused for what is settled."""
        self.trial_closed = self.trial_closed or (final and self.interface == "none")
        known = {"state": self.interface, "setl_id": "S1", **self.now} if self.interface != "none" else {}
        return {"found": self.interface != "none", "final": final, **known}

    def _reverse(self) -> dict[str, Any]:
        """The agent asks what is there before it sends 2208."""
        if self.interface == "none":
            return {"outcome": "refused", "code": "settlement_not_known"}
        self.interface = "reversed"
        return {"outcome": "done", "body": {}}

    @precondition(lambda self: self.town.value("SELECT count(*) FROM refund WHERE status = 'created'"))
    @rule()
    def the_refund_arrives(self) -> None:
        for (refund_id,) in self.town.rows("SELECT id FROM refund WHERE status = 'created'"):
            with self.town.runtime.work() as work:
                payment.refund_said(work, refund_id, {"status": "SUCCESS", "refund_id": "r"})
            self.refunded = True
        self._work()

    @invariant()
    def the_parts_are_the_total(self) -> None:
        if hasattr(self, "id"):
            row = self._row()
            assert row.fund_fen + row.account_fen + row.self_pay_fen == row.total_fen
            assert self.settled_times <= 1
            assert not self.refunded or row.status in ("failed", "reversed")

    def teardown(self) -> None:
        """From now on everybody is honest and quick, and it comes to rest."""
        if not hasattr(self, "id"):
            return
        if self._order() is not None and not self.paid and not self.closed:
            self.nobody_pays_in_time()
        for _ in range(12):
            while self.open:
                self._answer(*self.open.pop(0), "done")
            self.time_passes()
            self.the_refund_arrives()
        self._judge(self._row())

    def _judge(self, row: Any) -> None:
        assert not self.town.dead()
        needs_pay = self.sides["self_pay_fen"] > 0
        if row.status == "synchronised":
            assert self.interface == "settled" and self.now == self.sides
            assert self.paid == needs_pay and not self.refunded and self.booked
        else:
            assert row.status in ("failed", "reversed"), row.status
            assert self.interface != "settled" and self.paid == self.refunded and not self.booked
            assert not self.late or self.trial_closed, "nothing on its way can settle it any more"
        assert row.self_pay_part == ("done" if row.status == "synchronised" and needs_pay else
                                     "reversed" if self.refunded else "none")  # fmt: skip


@pytest.fixture
def on_stage(town: Town) -> Iterator[None]:
    global stage
    stage = (town, town.insured())
    yield
    stage = None


def test_both_halves_are_done_or_both_undone(on_stage: None) -> None:
    run_state_machine_as_test(Money, settings=settings(sequences, max_examples=2 * sequences.max_examples))
