"""`script/chaos callbacks` in a short form, and what it counts with."""

from __future__ import annotations

from sqlalchemy import text

from chaos import effects
from chaos.callbacks import Wanted, play
from chaos.letters import Letter
from tests.app.town import Town

SOUND = ("unfinished", "forged_taken", "double_effects", "backwards", "dead_tasks")


def test_nothing_is_doubled_or_turned_back_while_a_naive_receiver_does_both(town: Town) -> None:
    found = play(town, Wanted(claims=5, seed=1))
    assert {name: found[name] for name in SOUND} == dict.fromkeys(SOUND, 0), found
    assert found["answered_wrongly"] == {}
    sent, kinds = found["sent"], found["taken_by_kind"]
    assert isinstance(sent, dict) and isinstance(kinds, dict)
    for how in ("altered", "stranger", "signtest", "other_merchant", "too_old", "late", "answer_lost", "doubled",
                "renewed", "id_reused", "impostor", "out_of_order"):  # fmt: skip
        assert sent[how] > 0, how
    assert {"batches", "commands/answers", "wechat_pay", "bank.transfer_finished", "bank.returned", "claim.case_opened",
            "claim.documents_requested", "claim.adjudicated"} <= set(kinds)  # fmt: skip
    naive = found["naive"]
    assert isinstance(naive, dict) and naive["double_effects"] > 20 and naive["backwards"] > 0


def test_a_naive_receiver_does_what_it_is_told_each_time() -> None:
    said = [("case_opened", "c1"), ("adjudicated", "c1"), ("adjudicated", "c1"), ("case_opened", "c1")]
    body = '{"type": "claim.%s", "data": {"claim_no": "%s"}}'
    tape = [Letter("/exchange/v1/messages", {}, body % words) for words in said]
    assert effects.naive(tape) == {"double_effects": 2, "backwards": 1}
    assert effects.naive(tape[:2]) == {"double_effects": 0, "backwards": 0}


def test_a_row_that_was_turned_back_is_seen(town: Town) -> None:
    who = town.insured()
    town.bill(who)
    assert effects.backwards(town) == 1, "its visit stands in the first version"
    with town.runtime.work() as work:
        for old, new in ((None, "created"), ("created", "succeeded"), ("succeeded", "created")):
            work.session.execute(
                text(
                    "INSERT INTO audit_entry (actor_kind, actor_id, request_id, action, subject_type, subject_id,"
                    " from_status, to_status, detail) VALUES ('t', 't', '', 't', 'payout', :id, :old, :new, '{}')"
                ),
                {"id": who.person_id, "old": old, "new": new},
            )
    assert effects.backwards(town) == 3
