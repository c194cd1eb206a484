"""WeChat Pay's notifications: what is not signed by WeChat just now, for this merchant number, has no effect."""

from __future__ import annotations

import json
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.payment import service
from mock_wechat.pay.signature import seal
from mock_wechat.push import PushFault
from tests.app.patients import House, stopped_clock
from tests.app.payment.kit import Till
from tests.examples import costly

PAID = "TRANSACTION.SUCCESS"


def merchant(house: House, owner: str = "H1") -> Any:
    return next(m for m in house.wechat.ground.merchants.values() if m.owner == owner)


def notification(house: House, resource: Any, *, owner: str = "H1", event_type: str = PAID, **more: Any) -> bytes:
    """A notification that WeChat could have made."""
    sealed = seal(merchant(house, owner).apiv3_key, json.dumps(resource), "transaction")
    body = {
        "id": str(uuid.uuid4()),
        "create_time": datetime.now(UTC).isoformat(),
        "resource_type": "encrypt-resource",
        "event_type": event_type,
        "summary": "支付成功",
        "resource": {"original_type": "transaction", **sealed},
    } | more
    return json.dumps(body).encode()


def send(house: House, body: bytes, *, signer: str = "H1", to: str = "H1", fault: str = "", **headers: str) -> int:
    """Post a notification with WeChat's signature for one merchant number to the address of another."""
    key = merchant(house, signer)
    signed = house.wechat.notices._certificates.signed_headers(key, body, key.wechat_public_key_id, fault)
    url = f"/wechat/pay/{merchant(house, to).mchid}"
    return house.client.post(url, data=body, headers=signed | headers).status_code


def about(till: Till, order_id: Any, *, owner: str = "H1", total: int = 1250) -> dict[str, Any]:
    number = till.row(order_id).out_trade_no
    return {
        "mchid": merchant(till.house, owner).mchid,
        "out_trade_no": number,
        "transaction_id": "4200001",
        "trade_state": "SUCCESS",
        "amount": {"total": total, "currency": "CNY"},
        "payer": {"openid": "o-secret"},
    }


def test_a_notification_pays_an_order_and_keeps_no_openid(till: Till) -> None:
    order_id = till.order(till.house.known())
    assert send(till.house, notification(till.house, about(till, order_id))) == 204
    till.hear(order_id)
    kept = till.house.value(
        "SELECT content::text FROM pay_notification WHERE content ->> 'out_trade_no' = :number",
        number=till.row(order_id).out_trade_no,
    )
    assert "openid" not in kept and "o-secret" not in kept


@pytest.mark.parametrize("fault", ["wrong", "signtest", "unknown_serial"])
def test_what_does_not_verify_is_refused_and_a_good_one_is_taken_afterwards(till: Till, fault: str) -> None:
    till.house.wechat.pusher.faults.append(PushFault(signature=fault))
    patient = till.house.known()
    order_id = till.order(patient)
    till.pay(patient, order_id)
    till.hear(order_id)
    key = till.push_key(order_id)
    assert [one["status"] for one in till.house.wechat.journal if one.get("push") == key] == [401, 204]


@pytest.mark.parametrize("age_s", [-301, 301, 86_400])
def test_an_old_notification_is_refused(till: Till, age_s: int) -> None:
    order_id = till.order(till.house.known())
    body = notification(till.house, about(till, order_id))
    with stopped_clock(till.house.runtime, datetime.now(UTC) + timedelta(seconds=age_s)):
        assert send(till.house, body) == 401
    till.house.drain_all("payment.apply_notification")
    assert till.status(order_id) == "prepaid"


def test_a_replayed_notification_is_one(till: Till) -> None:
    order_id = till.order(till.house.known())
    body = notification(till.house, about(till, order_id))
    assert [send(till.house, body) for _ in range(3)] == [204, 204, 204]
    number = till.row(order_id).out_trade_no
    assert till.house.value(
        "SELECT count(*) FROM pay_notification WHERE content ->> 'out_trade_no' = :n", n=number
    ) == 1  # fmt: skip


def test_a_notification_to_another_merchants_address_is_refused(till: Till) -> None:
    order_id = till.order(till.house.known())
    body = notification(till.house, about(till, order_id))
    assert send(till.house, body, to="H2") == 401
    assert send(till.house, body, signer="H2", to="H1") == 401


def test_a_merchant_speaks_for_nobodys_orders_but_its_own(till: Till) -> None:
    """Signed for H2, naming H2, but about an order of H1."""
    order_id = till.order(till.house.known())
    body = notification(till.house, about(till, order_id, owner="H2"), owner="H2")
    assert send(till.house, body, signer="H2", to="H2") == 204
    till.house.drain_all("payment.apply_notification")
    assert till.status(order_id) == "prepaid"
    # Signed for H2, but naming H1.
    body = notification(till.house, about(till, order_id), owner="H2")
    assert send(till.house, body, signer="H2", to="H2") == 404


def test_an_unknown_merchant_number_is_not_found(till: Till) -> None:
    assert till.house.client.post("/wechat/pay/1999999999", data=b"{}").status_code == 404


def test_a_notification_of_another_amount_pays_nothing(till: Till) -> None:
    order_id = till.order(till.house.known(), 1250)
    assert send(till.house, notification(till.house, about(till, order_id, total=1))) == 204
    till.hear(order_id, "disputed")
    assert till.told(order_id, "paid") == 0


@pytest.mark.parametrize("resource", ["text", 5, [], {}, {"mchid": 5}])
def test_a_notification_about_nothing_is_refused(till: Till, resource: object) -> None:
    assert send(till.house, notification(till.house, resource)) in (401, 404, 422)


@pytest.mark.parametrize("number", ["\ud800", "\x00", "", "x" * 65])
@pytest.mark.parametrize("name", ["id", "event_type"])
def test_a_name_that_is_none_of_wechats_is_refused(till: Till, name: str, number: str) -> None:
    body = notification(till.house, about(till, till.order(till.house.known())), **{name: number})
    assert send(till.house, body) == 422


def test_a_foreign_order_and_a_foreign_refund_change_nothing(till: Till) -> None:
    mchid = merchant(till.house).mchid
    foreign = {
        "mchid": mchid,
        "out_trade_no": "somebody-elses",
        "out_refund_no": "rf-elses",
        "refund_status": "SUCCESS",
    }
    for event_type in (PAID, "REFUND.SUCCESS", "UNKNOWN.EVENT"):
        assert send(till.house, notification(till.house, foreign, event_type=event_type)) == 204
    till.house.drain_all("payment.apply_notification")
    dead = till.house.value("SELECT count(*) FROM task WHERE kind = 'payment.apply_notification'")
    assert dead == 0


def test_a_refunds_notification_overtakes_our_own_answer(till: Till) -> None:
    till.house.wechat.pusher.faults.append(PushFault(contains=PAID, times=-1, lose=True, attempts=-1))
    order_id = till.paid_by_query(till.house.known())
    with till.house.runtime.work() as work:
        refund_id = service.refund(work, order_id, 1250, "测试")
    row = till.refund_row(order_id)
    told = {"mchid": merchant(till.house).mchid, "out_refund_no": row.out_refund_no, "refund_status": "SUCCESS"}
    assert send(till.house, notification(till.house, told | {"refund_id": "503"}, event_type="REFUND.SUCCESS")) == 204
    till.house.drain_all("payment.apply_notification")
    assert (till.refund_row(order_id).status, till.told(order_id, "refunded")) == ("succeeded", 1)
    with till.house.runtime.work() as work:
        service.refund_said(work, refund_id, {"status": "PROCESSING", "refund_id": "503"})
    assert till.refund_row(order_id).status == "succeeded"


@costly
@given(body=st.binary(max_size=300) | st.text(max_size=100).map(str.encode), stamp=st.text(max_size=12))
def test_nothing_that_comes_in_breaks_the_door(till: Till, body: bytes, stamp: str) -> None:
    ours = {name: str(int(time.time())) for name in ("Wechatpay-Timestamp",)}
    names = ("Wechatpay-Nonce", "Wechatpay-Signature")
    headers = ours | dict.fromkeys(names, stamp.encode("ascii", "ignore").decode().replace("\n", "").replace("\r", ""))
    headers["Wechatpay-Serial"] = merchant(till.house).wechat_public_key_id
    answer = till.house.client.post(f"/wechat/pay/{merchant(till.house).mchid}", data=body, headers=headers)
    assert answer.status_code == 401
