"""A day's money over the real clients and doubles: orders, refunds, payouts by WeChat and bank, returns, the ledger."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.core.clock import SHANGHAI
from app.payment import service as payments
from app.reconciliation import queries, rules, service, views
from app.reconciliation.funds.comparison import Count
from app.reconciliation.report import funds_writing
from app.reconciliation.report.figures import figures
from mock_wechat.times import shanghai_date
from tests.app.payout import kit as payout
from tests.app.town import Insured, Town

FUNDS = ("reconciliation.fetch_bill", "reconciliation.compare_funds", "reconciliation.deadline")


@pytest.fixture(name="town")
def town_with_bills(town: Town) -> Iterator[Town]:
    """Bills are to be had at once."""
    town.wechat.settings.bills_wait = False
    yield town
    town.wechat.settings.bills_wait = True


@pytest.fixture
def today(town: Town) -> date:
    return shanghai_date(town.wechat.clock.now())


def run(town: Town, day: date) -> Any:
    with town.runtime.work() as work:
        run_id = service.start_funds(work, service.WantedFunds(day, "test")).id
    town.drain_all(*FUNDS)
    with town.runtime.read() as session:
        return queries.run(session, run_id)


def differences(town: Town, day: date) -> dict[str, tuple[str, str, str]]:
    with town.runtime.read() as session:
        rows = queries.differences_of_day(session, day)
        return {row.key: (row.kind, row.cause, row.status) for row in rows if row.kind in rules.FUNDS_KINDS}


def paid_order(town: Town, who: Insured, fen: int) -> tuple[UUID, str]:
    """An order at H1's merchant number that the user has paid, as we know; its id and our number."""
    with town.runtime.work() as work:
        hospital = work.session.execute(text("SELECT id FROM party WHERE code = 'H1'")).scalar_one()
        order_id = payments.order(
            work, hospital_id=hospital, account_id=who.account_id, purpose="test", subject=uuid.uuid4(),
            amount_fen=fen, description="挂号费, 门诊", expires_at=work.now + timedelta(minutes=15),
        )  # fmt: skip
    town.drain_all("payment.prepay")
    number = str(town.value("SELECT out_trade_no FROM payment_order WHERE id = :id", id=order_id))
    prepay_id = next(o["prepay_id"] for o in town.wechat.orders.waiting() if o["out_trade_no"] == number)
    town.wechat.cashier.pay(who.patient.user, prepay_id)
    town.rows("UPDATE task SET run_at = now() WHERE kind = 'payment.look' AND subject = :id", id=order_id)
    town.drain_all("payment.look")
    assert town.value("SELECT status FROM payment_order WHERE id = :id", id=order_id) == "paid"
    return order_id, number


@pytest.fixture
def day_of_money(town: Town) -> dict[str, str]:
    """Two orders, one of them paid back; a payout by bank and one by WeChat."""
    who = town.insured()
    order_id, kept = paid_order(town, who, 1200)
    back_id, back = paid_order(town, who, 800)
    with town.runtime.work() as work:
        refund_id = payments.refund(work, back_id, 800, "退号")
    town.drain_all("payment.refund")
    town.rows("UPDATE task SET run_at = now() WHERE kind = 'payment.look_at_refund'")
    town.until(
        lambda: town.value("SELECT status FROM refund WHERE id = :id", id=refund_id) == "succeeded",
        10.0, "payment.look_at_refund", "payment.apply_notification",
    )  # fmt: skip
    _, by_bank = payout.created(town, who, 30_000)
    payout.send(town)
    town.until(lambda: payout.status(town, by_bank) == "succeeded")
    _, by_wechat = payout.created(town, who, 40_000, payee=payout.WECHAT)
    payout.send(town)
    payout.confirm(town, who, by_wechat)
    town.rows("UPDATE task SET run_at = now() WHERE kind = 'payout.look'")
    town.until(lambda: payout.status(town, by_wechat) == "succeeded")
    refund_no = str(town.value("SELECT out_refund_no FROM refund WHERE id = :id", id=refund_id))
    return {
        "kept": kept, "back": back, "refund": refund_no, "order_id": str(order_id),
        "bank": payout.out_no(town, by_bank), "bank_id": by_bank, "wechat": payout.out_no(town, by_wechat),
        "wechat_id": by_wechat,
    }  # fmt: skip


def mine(found: dict[str, tuple[str, str, str]], numbers: dict[str, str]) -> dict[str, tuple[str, str, str]]:
    """Of the differences those about this test's numbers: the doubles' books are shared by the tests of a process."""
    known = {value: name for name, value in numbers.items()}
    return {
        key.rpartition(":")[0] + ":" + known[key.rpartition(":")[2]]: said
        for key, said in found.items()
        if key.rpartition(":")[2] in known
    }


def test_a_day_on_which_all_agree(town: Town, today: date, day_of_money: dict[str, str]) -> None:
    done = run(town, today)
    assert mine(differences(town, today), day_of_money) == {}
    counts = {what: Count(**count) for what, count in done.counts.items()}
    assert {what: count.agreed >= 1 for what, count in counts.items()} == {
        "payment": True, "refund": True, "payout": True, "return": False,
    }  # fmt: skip
    assert counts["payment"].own >= 2 and counts["refund"].own_fen >= 800 and counts["payout"].own_fen > 0
    with town.runtime.read() as session:
        shown = views.run_view(session, done, None, today)
        found = figures(session, done)
    written = funds_writing.letter(found, done.counts, ["finance@example.com"])
    assert ">退款</td>" in written.html and "银行对账单" in written.html
    assert written.attachments[0].name == f"funds-{today}.xlsx"
    assert set(funds_writing.line(found)) == {"day", "result", "figures"}
    assert {(party.code, party.role): party.status for party in shown.parties}[("B1", "bank")] == "arrived"


def test_what_the_platform_has_and_the_bills_lack_waits_and_heals(
    town: Town, today: date, day_of_money: dict[str, str]
) -> None:
    hidden = _hide_order(town, day_of_money["kept"])
    run(town, today)
    key = f"payment:{day_of_money['kept']}"
    assert differences(town, today)[key] == ("funds_presence", "bill_lacks", "suspended")
    _show_order(town, hidden)
    run(town, today)
    assert differences(town, today)[key][2] == "cleared"


def test_what_the_bills_have_and_our_books_do_not_say_is_found(
    town: Town, today: date, day_of_money: dict[str, str]
) -> None:
    """Rows changed behind the program's back, one for each way to be wrong; run twice, nothing is doubled."""
    order = day_of_money["order_id"]
    town.rows("UPDATE payment_order SET amount_fen = 1100 WHERE id = :id", id=order)
    town.rows("UPDATE refund SET status = 'abnormal' WHERE out_refund_no = :no", no=day_of_money["refund"])
    town.rows("UPDATE payout SET status = 'failed' WHERE out_no = :no", no=day_of_money["wechat"])
    town.rows("UPDATE payment_order SET out_trade_no = 'lost' WHERE out_trade_no = :no", no=day_of_money["back"])
    town.rows(
        "UPDATE ledger_transaction SET reference = gen_random_uuid() WHERE kind = 'pay' AND reference = :id",
        id=day_of_money["bank_id"],
    )
    for _ in range(2):
        done = run(town, today)
        assert done.status == "differences"
        found = mine(differences(town, today), day_of_money)
        assert {key: said[:2] for key, said in found.items()} == {
            "payment:kept": ("funds_amount", "bill_amount"),
            "payment:back": ("funds_presence", "platform_lacks"),
            "refund:refund": ("funds_status", "bill_status"),
            "payout:wechat": ("funds_status", "bill_status"),
            "ledger:payout:bank": ("funds_presence", "books_lack"),
        }


def test_money_that_the_bank_sent_back_stands_on_both_sides(town: Town, today: date) -> None:
    who = town.insured()
    card = "6222021234567890136"
    answer = town.bank.app.test_client().post(
        "/__mock__/cards", json=[{"account": card, "name": who.name, "state": "returns"}]
    )
    assert answer.status_code == 201
    _, payout_id = payout.created(town, who, 30_000, payee=payout.bank(card))
    payout.send(town)
    town.until(lambda: payout.status(town, payout_id) == "returned")
    done = run(town, today)
    assert done.counts["return"]["agreed"] >= 1
    assert mine(differences(town, today), {"it": payout.out_no(town, payout_id)}) == {}
    town.rows("DELETE FROM ledger_entry WHERE transaction_id IN (SELECT id FROM ledger_transaction"
              " WHERE kind = 'return' AND reference = :id)", id=payout_id)  # fmt: skip
    run(town, today)
    assert set(mine(differences(town, today), {"it": payout.out_no(town, payout_id)})) == {"ledger:return:it"}


def test_a_bill_that_is_not_made_yet_is_waited_for_and_then_named(town: Town) -> None:
    """Of today there is no bill before tomorrow, half past ten."""
    town.wechat.settings.bills_wait = True
    yesterday = (town.wechat.clock.now().astimezone(SHANGHAI) - timedelta(days=1)).date()
    if town.wechat.clock.now().astimezone(SHANGHAI).hour >= 10:
        yesterday += timedelta(days=1)  # then only today's is not to be had
    with town.runtime.work() as work:
        run_id = service.start_funds(work, service.WantedFunds(yesterday, "test", timedelta(seconds=0))).id
    town.drain_all(*FUNDS)
    with town.runtime.read() as session:
        found = {(row.role, row.status) for row in queries.ledgers(session, run_id)}
        assert ("bank", "arrived") in found and ("trade", "blocked") in found
        run_row = queries.run(session, run_id)
    assert run_row is not None and run_row.status == "blocked"


def test_every_bill_is_asked_for_once_a_day(town: Town, today: date) -> None:
    for _ in range(2):
        with town.runtime.work() as work:
            service.funds_night(work, today + timedelta(1))
    under_way = "SELECT count(*) FROM reconciliation_run WHERE kind = 'funds' AND status = 'collecting'"
    assert town.value(f"{under_way} AND business_date = :day", day=today) == 1
    town.drain_all(*FUNDS)


def _hide_order(town: Town, number: str) -> tuple[str, dict[str, Any]]:
    """Take an order out of WeChat's books."""
    table = town.wechat.orders._orders
    key, row = next((key, row) for key, row in table.items() if row["out_trade_no"] == number)
    del table[key]
    return key, row


def _show_order(town: Town, hidden: tuple[str, dict[str, Any]]) -> None:
    town.wechat.orders._orders.put(*hidden)
