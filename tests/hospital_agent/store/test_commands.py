"""Commands and answers stand in the store until they are done with."""

from __future__ import annotations

from hospital_agent.store.commands import Answer, Command, Inbox
from hospital_agent.store.db import Store


def command(number: int, kind: str = "register") -> Command:
    return Command(f"C{number}", kind, "registration", number, {"name": "张三"})


def test_a_command_is_taken_once(store: Store) -> None:
    inbox = Inbox(store)
    assert inbox.take([command(1), command(2)]) == [command(1), command(2)]
    assert inbox.take([command(2), command(3)]) == [command(3)]


def test_a_command_whose_answer_waits_is_not_taken_again(store: Store) -> None:
    inbox = Inbox(store)
    inbox.take([command(1)])
    inbox.answer(Answer("C1", "done"))
    assert inbox.take([command(1)]) == []
    inbox.delivered(["C1"])
    assert inbox.take([command(1)]) == [command(1)]


def test_what_an_earlier_life_left_comes_in_order(store: Store) -> None:
    inbox = Inbox(store)
    inbox.take([command(3), command(1), command(2)])
    inbox.answer(Answer("C2", "done"))
    assert [left.seq for left in inbox.left_over()] == [1, 3]
    assert inbox.left_over()[0] == command(1)


def test_only_one_begins_what_must_be_sent_once(store: Store) -> None:
    assert Inbox(store).begin_once("C1")
    assert not Inbox(store).begin_once("C1")


def test_answers_wait_until_they_are_delivered(store: Store) -> None:
    inbox = Inbox(store)
    inbox.take([command(1), command(2)])
    inbox.answer(Answer("C1", "refused", "blacklisted", "不能建档"))
    inbox.answer(Answer("C2", "done", body={"patient_no": "P1"}))
    assert inbox.undelivered()[0] == {
        "id": "C1",
        "outcome": "refused",
        "code": "blacklisted",
        "message": "不能建档",
        "body": {},
    }
    inbox.delivered(["C1"])
    assert [a["id"] for a in inbox.undelivered()] == ["C2"]
    assert not inbox.is_empty()
    inbox.delivered(["C2"])
    assert inbox.is_empty()


def test_an_answer_that_nobody_can_take_is_replaced_by_the_word_that_there_is_none(store: Store) -> None:
    inbox = Inbox(store)
    inbox.take([command(1), command(2, "settle")])
    inbox.begin_once("C2")
    inbox.answer(Answer("C1", "done", body={"patient_no": "P\x00"}))
    for one in ("C1", "C2"):
        inbox.answer_unfit(one)
    found = [(one["id"], one["outcome"], one["code"], one["body"]) for one in inbox.undelivered()]
    assert found == [("C1", "failed", "answer_unfit", {}), ("C2", "unknown", "answer_unfit", {})]
    assert inbox.left_over() == []
