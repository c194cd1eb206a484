"""Money moves once: whatever is lost, late, repeated or killed."""

from __future__ import annotations

from typing import Any

import pytest

from app.core import tasks
from app.payout import rules
from tests.app.payout.kit import (
    BANK_PATH,
    WECHAT,
    WECHAT_PATH,
    accepted,
    asked,
    at_the_bank,
    at_wechat,
    bank,
    confirm,
    created,
    ledger,
    out_no,
    quarantine_over,
    send,
    status,
    told,
)
from tests.app.town import Town, configure

PAID = [("approve", "expense", 10_000), ("approve", "payable", -10_000)]


def test_a_bank_payout_is_accepted_finished_booked_and_told(town: Town) -> None:
    who = town.insured()
    claim_id, payout_id = created(town, who)
    send(town)
    assert who.get(f"/payouts/{payout_id}")["channel"] == "bank"
    town.until(lambda: status(town, payout_id) == "succeeded")
    found = who.get(f"/claims/{claim_id}")
    assert (found["status"], found["paid_fen"]) == ("paid", 10_000)
    assert ledger(town, payout_id) == [*PAID, ("pay", "payable", 10_000), ("pay", "bank", -10_000)]
    assert told(town, claim_id) == ["succeeded"]
    assert [row["to_name"] for row in at_the_bank(town, payout_id)] == [who.name]
    assert not town.dead()


def test_a_wechat_payout_waits_for_the_payees_confirmation(town: Town) -> None:
    who = town.insured("钱多多")
    claim_id, payout_id = created(town, who, payee=WECHAT)
    send(town)
    found = who.get(f"/payouts/{payout_id}")
    assert found["status"] == "waiting_user_confirm" and set(found["confirm"]) == {"mchId", "appId", "package"}
    assert town.insured("李四").get(f"/payouts?claim_id={claim_id}")["code"] == "not_found"
    confirm(town, who, payout_id)
    town.until(lambda: status(town, payout_id) == "succeeded")
    assert town.status(claim_id) == "paid"
    assert ledger(town, payout_id)[2:] == [("pay", "payable", 10_000), ("pay", "wechat", -10_000)]
    assert who.get(f"/payouts/{payout_id}")["confirm"] is None


def test_one_payout_for_one_claim_however_often_it_is_wished(town: Town) -> None:
    who = town.insured()
    claim_id = accepted(town, who)
    with town.runtime.work() as work:
        for _ in range(3):
            work.later("payout.create", claim_id)  # type: ignore[arg-type]
    town.drain_all("payout.create")
    assert town.value("SELECT count(*) FROM payout WHERE claim_id = :id", id=claim_id) == 1
    with pytest.raises(Exception, match="uq_payout_open"):
        town.rows(SECOND_PAYOUT, id=claim_id)


SECOND_PAYOUT = (
    "INSERT INTO payout (id, status, claim_id, claim_no, insurer_id, account_id, channel, amount_fen, out_no,"
    " business_date, product_name, product_filing_no, payee_name_sealed, held_for, approvals_needed, check_field)"
    " SELECT gen_random_uuid(), 'created', claim_id, claim_no, insurer_id, account_id, channel, amount_fen, 'other',"
    " business_date, product_name, product_filing_no, payee_name_sealed, held_for, approvals_needed, check_field"
    " FROM payout WHERE claim_id = :id"
)


def test_killed_between_sending_and_noting_it_is_asked_for_and_not_sent_again(town: Town) -> None:
    """The worker dies after the bank has taken the order: whoever takes the task over looks first."""
    who = town.insured()
    _, payout_id = created(town, who)
    town.bank.fail(BANK_PATH, drop="after")
    send(town)
    town.rows("UPDATE payout SET status = 'sending' WHERE id = :id", id=payout_id)  # as the dead worker left it
    town.rows("DELETE FROM task WHERE kind = 'payout.look' AND subject = :id", id=payout_id)
    with town.runtime.work() as work:
        work.later("payout.send", payout_id)  # type: ignore[arg-type]
    send(town)
    assert (status(town, payout_id), asked(town, payout_id)) == ("unknown", 1)
    quarantine_over(town, payout_id)
    town.until(lambda: status(town, payout_id) == "succeeded")
    assert asked(town, payout_id) == 1 and len(at_the_bank(town, payout_id)) == 1


def test_killed_before_it_was_sent_it_is_sent_after_the_quarantine(town: Town) -> None:
    who = town.insured()
    _, payout_id = created(town, who)
    town.rows("UPDATE payout SET status = 'sending' WHERE id = :id", id=payout_id)
    send(town)
    assert (status(town, payout_id), asked(town, payout_id)) == ("unknown", 0)
    number = out_no(town, payout_id)
    quarantine_over(town, payout_id)
    town.until(lambda: status(town, payout_id) == "succeeded")
    assert (asked(town, payout_id), out_no(town, payout_id)) == (1, number)


def test_killed_while_it_is_sent_again_it_is_looked_for_again(town: Town) -> None:
    who = town.insured()
    _, payout_id = created(town, who)
    town.bank.fail(BANK_PATH, status=503)
    send(town)
    town.rows("UPDATE payout SET status = 'sending' WHERE id = :id", id=payout_id)
    quarantine_over(town, payout_id)
    assert status(town, payout_id) == "unknown", "whoever was sending it is gone"
    quarantine_over(town, payout_id)
    town.until(lambda: status(town, payout_id) == "succeeded")


def test_within_the_quarantine_nothing_is_sent_again(town: Town) -> None:
    who = town.insured()
    _, payout_id = created(town, who)
    town.bank.fail(BANK_PATH, drop="before")
    send(town)
    town.rows("UPDATE task SET run_at = now() WHERE kind = 'payout.look' AND subject = :id", id=payout_id)
    town.drain_all("payout.look")
    assert (status(town, payout_id), asked(town, payout_id)) == ("unknown", 1)
    with town.runtime.read() as session:
        wait = tasks.next_due_in(session, "payout.look")
    assert wait is not None and 0 < wait.total_seconds() <= rules.QUARANTINE_S


NOT_YET = {"status": 404, "body": {"code": "transfer_unknown"}}


def test_a_gateway_that_commits_late_pays_once(town: Town) -> None:
    """The query finds nothing yet, and when the same number goes out again the first order has been booked."""
    who = town.insured()
    claim_id, payout_id = created(town, who)
    town.bank.fail(BANK_PATH, drop="after")
    town.bank.fail("/query$", **NOT_YET)
    send(town)
    quarantine_over(town, payout_id)
    town.until(lambda: status(town, payout_id) == "succeeded")
    assert len(at_the_bank(town, payout_id)) == 1 and asked(town, payout_id) <= 2
    assert (town.status(claim_id), len(ledger(town, payout_id))) == ("paid", 4)


def test_a_second_try_that_is_turned_down_proves_nothing_about_the_first(town: Town) -> None:
    who = town.insured()
    configure(town.bank, finish_after_s=5)
    claim_id, payout_id = created(town, who)
    town.bank.fail(BANK_PATH, drop="after")
    town.bank.fail("/query$", **NOT_YET)
    send(town)
    town.bank.fail(BANK_PATH, status=422, body={"code": "from_account_unknown"})
    quarantine_over(town, payout_id)
    assert (status(town, payout_id), town.status(claim_id)) == ("unknown", "paying")
    quarantine_over(town, payout_id)
    assert (status(town, payout_id), asked(town, payout_id)) == ("accepted", 2)


def test_a_bank_that_refuses_our_key_for_a_while_is_no_failure_of_the_payout(town: Town) -> None:
    who = town.insured()
    claim_id, payout_id = created(town, who)
    town.bank.fail(BANK_PATH, status=401, body={"code": "signature_invalid"})
    send(town)
    assert (status(town, payout_id), town.status(claim_id)) == ("unknown", "paying")
    quarantine_over(town, payout_id)
    town.until(lambda: status(town, payout_id) == "succeeded")
    assert len(at_the_bank(town, payout_id)) == 1


def test_turned_down_twice_and_never_seen_it_is_dead(town: Town) -> None:
    who = town.insured()
    claim_id, payout_id = created(town, who)
    town.bank.fail(BANK_PATH, drop="before")
    send(town)
    town.bank.fail(BANK_PATH, status=422, body={"code": "amount_invalid"})
    quarantine_over(town, payout_id)
    quarantine_over(town, payout_id)
    assert (status(town, payout_id), town.status(claim_id)) == ("failed", "accepted")
    assert at_the_bank(town, payout_id) == []


def test_a_long_outage_of_the_provider_ends_in_an_answer(town: Town) -> None:
    who = town.insured()
    _, payout_id = created(town, who)
    town.bank.fail(BANK_PATH, drop="after")
    town.bank.fail("/query$", status=503, times=14)
    send(town)
    for _ in range(14):
        quarantine_over(town, payout_id)
    assert status(town, payout_id) == "unknown" and not town.dead()
    quarantine_over(town, payout_id)
    town.until(lambda: status(town, payout_id) == "succeeded")


def test_a_clear_refusal_fails_and_another_card_is_paid(town: Town) -> None:
    who = town.insured()
    claim_id, payout_id = created(town, who, payee=bank("6222021234567890120"))
    send(town)
    found = who.get(f"/payouts/{payout_id}")
    assert (found["status"], found["failed"]) == ("failed", "银行卡号有误")
    assert town.status(claim_id) == "accepted"
    changed = who.post(f"/payouts/{payout_id}/change-to-bank", {"bank_account": "6222021234567890128"})
    assert changed.status_code == 201
    assert who.post(f"/payouts/{payout_id}/change-to-bank", {"bank_account": "6222021234567890128"}).status_code == 409
    town.until(lambda: status(town, changed.get_json()["id"]) == "succeeded")
    assert sorted(told(town, claim_id)) == ["failed", "succeeded"]
    assert out_no(town, payout_id) != out_no(town, changed.get_json()["id"])


def test_money_that_a_bank_sends_back_reverses_the_ledger(town: Town) -> None:
    who = town.insured()
    card = "6222029999999999992"
    body = [{"account": card, "name": who.name, "state": "returns"}]
    assert town.bank.app.test_client().post("/__mock__/cards", json=body).status_code == 201
    claim_id, payout_id = created(town, who, payee=bank(card))
    send(town)
    town.until(lambda: status(town, payout_id) == "returned")
    found = who.get(f"/claims/{claim_id}")
    assert (found["status"], found["paid_fen"]) == ("accepted", 0)
    booked = ledger(town, payout_id)
    assert booked[2:] == [("pay", "payable", 10_000), ("pay", "bank", -10_000),
                          ("return", "bank", 10_000), ("return", "payable", -10_000)]  # fmt: skip
    data: dict[str, Any] = {"out_no": out_no(town, payout_id), "reason": "returned"}
    town.agent("B1").ok("/messages", {"type": "bank.returned", "data": data})
    late = {"out_no": out_no(town, payout_id), "status": "succeeded", "reason": ""}
    town.agent("B1").ok("/messages", {"type": "bank.transfer_finished", "data": late})
    town.drain_all("payout.bank_returned", "payout.bank_finished")
    assert (status(town, payout_id), ledger(town, payout_id)) == ("returned", booked)
    changed = who.post(f"/payouts/{payout_id}/change-to-bank", {"bank_account": "6222021234567890128"})
    town.until(lambda: status(town, changed.get_json()["id"]) == "succeeded")
    assert town.status(claim_id) == "paid"


def test_only_the_bank_speaks_for_the_bank(town: Town) -> None:
    who = town.insured()
    _, payout_id = created(town, who)
    data = {"out_no": out_no(town, payout_id), "status": "succeeded", "reason": ""}
    assert town.agent("I1").post("/messages", {"type": "bank.transfer_finished", "data": data}).status_code == 422
    town.agent("B1").ok("/messages", {"type": "bank.transfer_finished", "data": data | {"status": "perhaps"}})
    town.agent("B1").ok("/messages", {"type": "bank.transfer_finished", "data": data})
    town.drain_all("payout.bank_finished")
    assert status(town, payout_id) == "approved", "nothing was sent yet, so nothing can have ended"


def test_a_transfer_that_nobody_confirms_fails_and_goes_to_a_card(town: Town) -> None:
    who = town.insured("赵无眠")
    claim_id, payout_id = created(town, who, payee=WECHAT)
    send(town)
    row = at_wechat(town, payout_id)
    assert row is not None
    town.wechat.transfer_book._end(row, "FAIL", "OVERDUE_CLOSE")  # a day later
    quarantine_over(town, payout_id)
    found = who.get(f"/payouts/{payout_id}")
    assert (found["status"], town.status(claim_id)) == ("failed", "accepted") and "24 小时" in found["failed"]
    changed = who.post(f"/payouts/{payout_id}/change-to-bank", {"bank_account": "6222021234567890128"})
    town.until(lambda: status(town, changed.get_json()["id"]) == "succeeded")


def test_a_lost_answer_of_wechat_still_leads_to_the_confirmation(town: Town) -> None:
    """A query does not give the key to the confirmation page; the same number asked again does."""
    who = town.insured("孙悟空")
    claim_id, payout_id = created(town, who, payee=WECHAT)
    town.wechat.fail(WECHAT_PATH, drop="after")
    send(town)
    assert (status(town, payout_id), who.get(f"/payouts/{payout_id}")["confirm"]) == ("unknown", None)
    quarantine_over(town, payout_id)
    assert status(town, payout_id) == "waiting_user_confirm"
    confirm(town, who, payout_id)
    town.until(lambda: town.status(claim_id) == "paid")
    assert len(ledger(town, payout_id)) == 4


def test_a_name_that_is_not_the_users_fails(town: Town) -> None:
    who = town.insured("周伯通")
    town.wechat.people.save(town.wechat.people.get(who.patient.user) | {"name": "别人"})
    claim_id, payout_id = created(town, who, payee=WECHAT)
    send(town)
    assert (status(town, payout_id), town.status(claim_id)) == ("failed", "accepted")
    assert "姓名" in who.get(f"/payouts/{payout_id}")["failed"]


def test_an_empty_account_waits_for_a_top_up_under_the_same_number(town: Town) -> None:
    who = town.insured("吴用")
    _, payout_id = created(town, who, payee=WECHAT)
    town.wechat.fail(WECHAT_PATH, status=403, body={"code": "NOT_ENOUGH", "message": "资金不足"})
    send(town)
    assert status(town, payout_id) == "unknown"
    number = out_no(town, payout_id)
    quarantine_over(town, payout_id)
    assert (status(town, payout_id), out_no(town, payout_id)) == ("waiting_user_confirm", number)


def test_a_row_changed_behind_the_programs_back_is_not_paid_and_named(town: Town) -> None:
    who = town.insured()
    claim_id, payout_id = created(town, who)
    town.rows("UPDATE payout SET amount_fen = 1000000 WHERE id = :id", id=payout_id)
    send(town)
    assert asked(town, payout_id) == 0
    assert ("payout.send", f"Tampered: payout:{payout_id}") in town.dead()
    for table, column in (("decision", "approved_fen"), ("claim_bill", "payable_fen"), ("fee_line", "amount_fen")):
        claim_id = accepted(town, who)
        where = "claim_id = :id" if table != "fee_line" else (
            "bill_id IN (SELECT bill_id FROM claim_bill WHERE claim_id = :id)")  # fmt: skip
        change = f"UPDATE {table} SET {column} = {column} - 1 WHERE {where} RETURNING id"  # noqa: S608
        changed = {f"Tampered: {table}:{row.id}" for row in town.rows(change, id=claim_id)}
        town.drain_all("payout.create")
        assert changed & {cause for kind, cause in town.dead() if kind == "payout.create"}
        assert town.value("SELECT count(*) FROM payout WHERE claim_id = :id", id=claim_id) == 0
