"""Orders and refunds against the WeChat Pay double: paid, closed, late, unknown, refused."""

from __future__ import annotations

from uuid import UUID

import pytest

from app.core.errors import Conflict, Invalid, NotFound
from app.core.paging import PageQuery
from app.payment import queries, service
from mock_wechat.push import PushFault
from tests.app.patients import House, refusal
from tests.app.payment.kit import Till

JSAPI = r"/v3/pay/transactions/jsapi$"
CLOSE = r"/close$"
QUERY = r"/v3/pay/transactions/out-trade-no/[^/]+$"
REFUND = r"/v3/refund/domestic/refunds$"
QUERY_REFUND = r"/v3/refund/domestic/refunds/.+"


def silent(house: House) -> None:
    """WeChat's notifications are lost."""
    house.wechat.pusher.faults.append(PushFault(times=-1, lose=True, attempts=-1))


def test_an_order_is_placed_paid_and_told(till: Till) -> None:
    patient = till.house.known()
    order_id = till.order(patient, 1250)
    shown = patient.get(f"/payments/{order_id}").get_json()
    assert (shown["status"], shown["amount_fen"]) == ("prepaid", 1250)
    # The phone checks the signature of the page's parameters before it opens the cashier.
    paid = till.house.wechat.app.test_client().post(
        "/__mock__/phone/pay", json={"user": patient.user, "params": shown["jsapi"]}
    )
    assert paid.status_code == 200, paid.get_json()
    till.hear(order_id)
    assert till.told(order_id, "paid") == 1
    after = patient.get(f"/payments/{order_id}").get_json()
    assert (after["status"], after["jsapi"]) == ("paid", None)


def test_a_strangers_payment_is_not_there(till: Till) -> None:
    order_id = till.order(till.house.known())
    assert refusal(till.house.known().get(f"/payments/{order_id}"), 404) == "not_found"


def test_a_payment_whose_notification_is_lost_is_asked_for(till: Till) -> None:
    silent(till.house)
    patient = till.house.known()
    order_id = till.order(patient)
    till.pay(patient, order_id)
    till.house.drain_all("payment.look", hurry=True)
    assert (till.status(order_id), till.told(order_id, "paid")) == ("paid", 1)


def test_a_payment_told_three_times_and_asked_for_counts_once(till: Till) -> None:
    till.house.wechat.pusher.faults.append(PushFault(copies=3))
    patient = till.house.known()
    order_id = till.paid(patient)
    assert till.house.wechat.pusher.repeat(till.push_key(order_id)).taken
    till.house.drain_all("payment.look", hurry=True)
    till.house.drain_all("payment.apply_notification")
    assert (till.status(order_id), till.told(order_id, "paid")) == ("paid", 1)


def test_a_payment_before_the_answer_to_our_order(till: Till) -> None:
    """The answer with the prepay id is lost; the user pays all the same."""
    till.house.wechat.fail(JSAPI, drop="after")
    patient = till.house.known()
    order_id = till.order(patient)
    assert till.status(order_id) == "created"
    till.pay(patient, order_id)
    till.hear(order_id)
    till.house.drain_all("payment.prepay", hurry=True)
    assert (till.status(order_id), till.told(order_id, "paid")) == ("paid", 1)


def test_an_order_that_wechat_refuses_is_given_up_at_once(till: Till) -> None:
    till.house.wechat.fail(JSAPI, status=400, body={"code": "PARAM_ERROR", "message": "参数错误"})
    order_id = till.order(till.house.known())
    till.house.drain_all("payment.close")
    assert (till.status(order_id), till.told(order_id, "closed")) == ("closed", 1)
    with till.house.runtime.read() as session:
        assert service.why_closed(session, order_id) == "order_refused"


def test_only_an_app_that_is_bound_to_the_hospitals_merchant_number_can_order(till: Till) -> None:
    elsewhere = till.house.known("H2")
    with pytest.raises(Conflict) as refused:
        till.order(elsewhere)
    assert refused.value.code == "pay_elsewhere"


def test_an_unpaid_order_is_closed_after_its_deadline(till: Till) -> None:
    patient = till.house.known()
    order_id = till.order(patient, in_s=600)
    till.house.drain_all("payment.look", hurry=True)
    assert till.status(order_id) == "prepaid"
    till.house.rows("UPDATE payment_order SET expires_at = now() WHERE id = :id", id=order_id)
    till.house.drain_all("payment.look", hurry=True)
    assert (till.status(order_id), till.told(order_id, "closed")) == ("closed", 1)
    with pytest.raises(StopIteration):
        till.pay(patient, order_id)


def test_a_payment_wins_the_race_against_closing(till: Till) -> None:
    silent(till.house)
    patient = till.house.known()
    order_id = till.order(patient)
    till.pay(patient, order_id)
    with till.house.runtime.work() as work:
        service.close(work, order_id)
    till.house.drain_all("payment.close")
    assert (till.status(order_id), till.told(order_id, "paid"), till.told(order_id, "closed")) == ("paid", 1, 0)


def test_an_order_that_is_still_payable_is_not_called_closed(till: Till) -> None:
    """WeChat refuses to close while the user stands at the cashier: the order is asked about until one of the two is
    certain."""
    till.house.wechat.fail(CLOSE, status=400, body={"code": "INVALID_REQUEST", "message": "用户支付中"})
    order_id = till.order(till.house.known())
    with till.house.runtime.work() as work:
        service.close(work, order_id)
    till.house.drain_all("payment.close")
    assert till.status(order_id) == "prepaid"
    till.house.drain_all("payment.close", hurry=True)
    assert till.status(order_id) == "closed"


def test_money_for_a_closed_order_goes_back(till: Till) -> None:
    """WeChat took the money although we had given the order up."""
    patient = till.house.known()
    order_id = till.order(patient)
    with till.house.runtime.work() as work:
        service.closed(work, order_id)
    till.pay(patient, order_id)
    till.hear(order_id, "closed")
    till.house.drain_all("payment.refund")
    assert till.at_wechat(order_id)["status"] == "SUCCESS"
    assert (till.told(order_id, "paid"), till.told(order_id, "closed")) == (0, 1)
    assert till.row(order_id).transaction_id


@pytest.mark.parametrize("amount", [{"total": 1}, {"total": "1250"}, {}, None, [1250]])
def test_another_amount_is_no_payment(till: Till, amount: object) -> None:
    order_id = till.order(till.house.known(), 1250)
    with till.house.runtime.work() as work:
        service.paid(work, order_id, {"transaction_id": "42", "trade_state": "SUCCESS", "amount": amount})
    assert (till.status(order_id), till.told(order_id, "paid"), till.told(order_id, "closed")) == ("disputed", 0, 1)


def test_looking_is_never_given_up(till: Till) -> None:
    """WeChat may be silent for a day: the order is still looked at, because money may have moved."""
    silent(till.house)
    patient = till.house.known()
    order_id = till.order(patient)
    till.pay(patient, order_id)
    fault = till.house.wechat.fail(QUERY, status=503, times=-1)
    for _ in range(15):
        till.house.drain_all("payment.look", hurry=True)
    query = "SELECT status, tries FROM task WHERE kind = 'payment.look' AND subject = :id"
    assert till.house.rows(query, id=order_id) == [("due", 0)]
    fault.times = 0
    till.house.drain_all("payment.look", hurry=True)
    assert till.status(order_id) == "paid"


def refunded(till: Till, order_id: UUID) -> tuple[str, str, int]:
    """Our state, WeChat's, and how often floors above were told."""
    return till.refund_row(order_id).status, till.at_wechat(order_id)["status"], till.told(order_id, "refunded")


def test_a_refund_is_told_by_notification(till: Till) -> None:
    till.house.wechat.settings.refund_takes_s = 0.1
    order_id = till.paid(till.house.known())
    till.refund(order_id)
    till.house.drain_all("payment.refund")
    assert till.refund_row(order_id).status == "processing"
    number = till.refund_row(order_id).out_refund_no
    till.house.until(
        lambda: till.house.value(
            "SELECT count(*) FROM pay_notification WHERE content ->> 'out_refund_no' = :number", number=number
        )
    )
    till.house.drain_all("payment.apply_notification")
    assert refunded(till, order_id) == ("succeeded", "SUCCESS", 1)
    till.house.drain_all("payment.look_at_refund", hurry=True)
    assert refunded(till, order_id) == ("succeeded", "SUCCESS", 1)


def test_a_refund_is_asked_for_until_it_is_final(till: Till) -> None:
    silent(till.house)
    till.house.wechat.settings.refund_takes_s = 600
    order_id = till.paid_by_query(till.house.known())
    till.refund(order_id)
    till.house.drain_all("payment.refund")
    for _ in range(3):
        till.house.drain_all("payment.look_at_refund", hurry=True)
        assert till.refund_row(order_id).status == "processing"
    till.house.wechat.clock.advance(601)
    till.house.until(lambda: till.at_wechat(order_id)["status"] == "SUCCESS")
    till.house.drain_all("payment.look_at_refund", hurry=True)
    assert refunded(till, order_id) == ("succeeded", "SUCCESS", 1)


@pytest.mark.parametrize("lost", ["before", "after"])
def test_a_refund_whose_answer_is_lost_is_looked_for_before_it_is_sent_again(till: Till, lost: str) -> None:
    silent(till.house)
    order_id = till.paid_by_query(till.house.known())
    till.refund(order_id)
    till.house.wechat.fail(REFUND, drop=lost)
    till.house.drain_all("payment.refund")
    number = till.refund_row(order_id).out_refund_no
    assert till.refund_row(order_id).status == "unknown"
    sent = [one["path"] for one in till.house.wechat.journal if number in one["body"]]
    till.house.drain_all("payment.look_at_refund", "payment.refund", hurry=True)
    assert refunded(till, order_id) == ("succeeded", "SUCCESS", 1)
    again = [one["path"] for one in till.house.wechat.journal if number in one["body"]]
    assert len(again) - len(sent) == (1 if lost == "before" else 0)
    assert till.at_wechat(order_id)["out_refund_no"] == number


def test_an_unknown_refund_is_not_sent_again_while_wechat_shows_nothing(till: Till) -> None:
    silent(till.house)
    order_id = till.paid_by_query(till.house.known())
    till.refund(order_id)
    till.house.wechat.fail(REFUND, drop="after")
    till.house.drain_all("payment.refund")
    fault = till.house.wechat.fail(QUERY_REFUND, method="GET", status=500, times=-1)
    for _ in range(14):
        till.house.drain_all("payment.look_at_refund", "payment.refund", hurry=True)
    assert till.refund_row(order_id).status == "unknown"
    fault.times = 0
    till.house.drain_all("payment.look_at_refund", hurry=True)
    assert refunded(till, order_id) == ("succeeded", "SUCCESS", 1)


def test_a_refund_that_commits_late_is_not_doubled(till: Till) -> None:
    """504, and the money moves a moment later: the quarantine is over only then."""
    silent(till.house)
    order_id = till.paid_by_query(till.house.known())
    till.refund(order_id)
    till.house.wechat.fail(REFUND, status=504, late=True, delay_s=0.2)
    till.house.drain_all("payment.refund")
    till.house.until(lambda: till.refunds_at_wechat(order_id))
    till.house.drain_all("payment.look_at_refund", "payment.refund", hurry=True)
    assert refunded(till, order_id) == ("succeeded", "SUCCESS", 1)


def test_a_merchant_without_money_pays_back_later_under_the_same_number(till: Till) -> None:
    order_id = till.paid(till.house.known())
    till.refund(order_id)
    till.house.wechat.fail(REFUND, status=403, body={"code": "NOT_ENOUGH", "message": "余额不足"}, times=20)
    for _ in range(20):
        till.house.drain_all("payment.refund", hurry=True)
    number = till.refund_row(order_id).out_refund_no
    assert till.refund_row(order_id).status == "created"
    till.house.drain_all("payment.refund", hurry=True)
    assert till.at_wechat(order_id)["out_refund_no"] == number


def test_a_refund_that_wechat_refuses_waits_for_a_person(till: Till) -> None:
    order_id = till.paid(till.house.known())
    till.refund(order_id)
    till.house.wechat.fail(REFUND, status=403, body={"code": "USER_ACCOUNT_ABNORMAL", "message": "账户异常"})
    till.house.drain_all("payment.refund")
    row = till.refund_row(order_id)
    assert (row.status, row.refused_code, till.told(order_id, "refunded")) == ("abnormal", "USER_ACCOUNT_ABNORMAL", 0)
    assert till.told(order_id, "refund_failed") == 1
    look_again(till, row.id)
    assert till.refund_row(order_id).status == "abnormal" and not till.house.value(
        "SELECT count(*) FROM task WHERE kind = 'payment.look_at_refund'"
    ), "nobody asks for ever for what WeChat has never taken"


@pytest.mark.parametrize("end", ["ABNORMAL", "CLOSED"])
def test_a_refund_that_ends_badly_waits_for_a_person(till: Till, end: str) -> None:
    order_id = till.paid(till.house.known())
    till.refund(order_id)
    till.house.wechat.outcomes.set(till.refund_row(order_id).out_refund_no, {"status": end})
    till.house.drain_all("payment.refund")
    assert (till.refund_row(order_id).status, till.told(order_id, "refunded")) == ("abnormal", 0)
    assert till.told(order_id, "refund_failed") == 1


def look_again(till: Till, refund_id: UUID) -> None:
    with till.house.runtime.work() as work:
        service.look_again(work, refund_id, till.house.hospital_id())
    till.house.drain_all("payment.look_at_refund", hurry=True)


def test_a_refund_that_a_person_has_helped_with_arrives(till: Till) -> None:
    order_id = till.paid(till.house.known())
    refund_id = till.refund(order_id)
    till.house.wechat.outcomes.set(till.refund_row(order_id).out_refund_no, {"status": "ABNORMAL"})
    till.house.drain_all("payment.refund")
    with till.house.runtime.read() as session:
        found, _ = queries.abnormal_refunds(session, None, PageQuery())
        row = next(row for row, order in found if (row.id, order.id) == (refund_id, order_id))
        assert not queries.abnormal_refunds(session, till.house.hospital_id("H2"), PageQuery())[0]
    with pytest.raises(NotFound), till.house.runtime.work() as work:
        service.look_again(work, refund_id, till.house.hospital_id("H2"))
    kept = till.house.wechat.refunds._refunds
    (key,) = [key for key, one in kept.items() if one["out_refund_no"] == row.out_refund_no]
    kept.put(key, {**kept[key], "status": "SUCCESS"})
    look_again(till, refund_id)
    assert (till.refund_row(order_id).status, till.told(order_id, "refunded")) == ("succeeded", 1)
    with pytest.raises(Conflict, match="refund_not_abnormal"):
        look_again(till, refund_id)


def test_a_payment_that_was_paid_back_by_hand_is_no_payment(till: Till) -> None:
    """At the merchant's console, before anybody told us that it was paid."""
    silent(till.house)
    patient = till.house.known()
    order_id = till.order(patient)
    till.pay(patient, order_id)
    (row,) = [one for one in till.house.wechat.memory.load("order").values()
              if one["out_trade_no"] == till.row(order_id).out_trade_no]  # fmt: skip
    till.house.wechat.orders.mark_refunded(row)
    till.house.drain_all("payment.look", hurry=True)
    assert (till.status(order_id), till.told(order_id, "paid"), till.told(order_id, "closed")) == ("disputed", 0, 1)
    with till.house.runtime.read() as session:
        assert service.why_closed(session, order_id) == "pay_disputed"


def test_there_is_never_a_second_refund(till: Till) -> None:
    order_id = till.paid(till.house.known())
    assert till.refund(order_id) == till.refund(order_id) == till.refund(order_id, 5)
    till.house.drain_all("payment.refund")
    assert till.refund(order_id) and till.at_wechat(order_id)["refund_fen"] == 1250


@pytest.mark.parametrize("amount_fen", [0, -1, 1251])
def test_nobody_gets_more_back_than_was_paid(till: Till, amount_fen: int) -> None:
    order_id = till.paid(till.house.known())
    with pytest.raises(Invalid):
        till.refund(order_id, amount_fen)


def test_an_amount_changed_behind_the_programs_back_moves_no_money(till: Till) -> None:
    order_id = till.paid(till.house.known())
    till.refund(order_id, 1250)
    till.house.rows("UPDATE refund SET amount_fen = 1249 WHERE order_id = :id", id=order_id)
    till.house.drain_all("payment.refund")
    cause = till.house.value("SELECT last_error FROM task WHERE kind = 'payment.refund' AND subject = :id",
                             id=till.refund_row(order_id).id)  # fmt: skip
    assert cause.startswith("Tampered")
    assert till.refunds_at_wechat(order_id) == []
