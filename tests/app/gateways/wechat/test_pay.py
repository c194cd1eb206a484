"""The WeChat Pay client against the double: numbers, signatures, and what each failure is known to mean."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from app.core.errors import PartnerFault
from app.gateways.wechat.pay import Order, Pay, Refund, Transfer
from app.identity.service import MerchantCredentials
from mock_wechat.server import WeChat
from tests.app.world import make_world


@pytest.fixture(scope="module")
def world() -> dict[str, Any]:
    return make_world()


@pytest.fixture(scope="module")
def running(world: dict[str, Any]) -> Iterator[WeChat]:
    with WeChat(world["wechat"] | {"settings": {"refund_takes_s": 0.0, "ladder_factor": 0.01}}) as double:
        yield double


@pytest.fixture
def wechat(running: WeChat) -> WeChat:
    running.faults.clear()
    return running


@pytest.fixture
def pay(wechat: WeChat) -> Pay:
    return Pay(wechat.url, 0.5)


def merchant(world: dict[str, Any], owner: str) -> MerchantCredentials:
    found = next(m for m in world["wechat"]["merchants"] if m["owner"] == owner)
    names = [name for name in MerchantCredentials.__dataclass_fields__ if name not in ("party_id", "app_ids")]
    return MerchantCredentials(party_id=None, app_ids=(), **{name: found[name] for name in names})  # type: ignore[arg-type]


def user(wechat: WeChat, world: dict[str, Any], name: str = "张三") -> tuple[str, str, str]:
    """(user, app id, openid) at H1's public account."""
    app_id = next(a["app_id"] for a in world["wechat"]["apps"] if (a["owner"], a["kind"]) == ("H1", "oa"))
    who = str(wechat.people.add({"name": name})["user"])
    return who, app_id, wechat.people.openid(who, wechat.ground.apps[app_id])


def order(wechat: WeChat, world: dict[str, Any], out_trade_no: str) -> Order:
    _, app_id, openid = user(wechat, world)
    expires = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() + 600))
    return Order(app_id, openid, out_trade_no, "门诊自付费用", 1_234, "http://127.0.0.1:9/wechat/pay/x", expires)


def transfer(wechat: WeChat, world: dict[str, Any], out_bill_no: str, **other: Any) -> Transfer:
    _, app_id, openid = user(wechat, world)
    given: dict[str, Any] = {
        "app_id": app_id, "openid": openid, "out_bill_no": out_bill_no, "amount_fen": 10_000, "user_name": "张三",
        "product_filing_no": "C00001", "product_name": "住院医疗保险", "operation_no": "CL1",
        "notify_url": "http://127.0.0.1:9/wechat/pay/x",
    }  # fmt: skip
    return Transfer(**given | other)


def test_an_order_is_placed_paid_and_refunded(pay: Pay, wechat: WeChat, world: dict[str, Any]) -> None:
    h1, wanted = merchant(world, "H1"), order(wechat, world, "po000001")
    pay.order(h1, wanted)
    prepay_id = pay.order(h1, wanted)  # the same number again is the same order
    who = wechat.people.find(wanted.app_id, wanted.openid)
    params = pay.jsapi(h1, wanted.app_id, prepay_id)
    body = {"user": who, "params": params}
    assert wechat.app.test_client().post("/__mock__/phone/pay", json=body).status_code == 200
    found = pay.query(h1, "po000001")
    assert found is not None and (found["trade_state"], found["amount"]["total"]) == ("SUCCESS", 1_234)
    wish = Refund("rf000001", "po000001", 1_234, 1_234, "医保结算未成功", "http://127.0.0.1:9/wechat/pay/x")
    assert pay.refund(h1, wish)["status"] in ("PROCESSING", "SUCCESS")
    refund = pay.query_refund(h1, "rf000001")
    assert refund is not None and refund["amount"]["refund"] == 1_234


def test_what_wechat_does_not_know_is_none_and_nothing_else_is(pay: Pay, wechat: WeChat, world: dict[str, Any]) -> None:
    h1, i1 = merchant(world, "H1"), merchant(world, "I1")
    assert pay.query(h1, "po999999") is None
    assert pay.query_refund(h1, "rf999999") is None
    assert pay.query_transfer(i1, "tf999999") is None
    wechat.fail("/out-bill-no/", status=404, body={"code": "PROXY"})
    with pytest.raises(PartnerFault):
        pay.query_transfer(i1, "tf999999")


def test_a_closed_order_is_paid_by_nobody(pay: Pay, wechat: WeChat, world: dict[str, Any]) -> None:
    h1 = merchant(world, "H1")
    pay.order(h1, order(wechat, world, "po000002"))
    pay.close(h1, "po000002")
    found = pay.query(h1, "po000002")
    assert found is not None and found["trade_state"] == "CLOSED"


def test_a_transfer_waits_for_its_payee_and_keeps_its_number(pay: Pay, wechat: WeChat, world: dict[str, Any]) -> None:
    i1, wanted = merchant(world, "I1"), transfer(wechat, world, "tf000001")
    first = pay.transfer(i1, wanted)
    again = pay.transfer(i1, wanted)
    assert first["state"] == again["state"] == "WAIT_USER_CONFIRM"
    assert first["package_info"] == again["package_info"]
    row = wechat.transfer_book.get(i1.mchid, "tf000001")
    assert row is not None and row["wanted"]["user_name"] == "张三", "sealed on the wire, opened by WeChat's key"
    found = pay.query_transfer(i1, "tf000001")
    assert found is not None and (found["state"], found["transfer_amount"]) == ("WAIT_USER_CONFIRM", 10_000)
    assert pay.cancel_transfer(i1, "tf000001")["state"] in ("CANCELING", "CANCELLED")


def test_below_thirty_fen_no_name_is_sent(pay: Pay, wechat: WeChat, world: dict[str, Any]) -> None:
    small = transfer(wechat, world, "tf000002", amount_fen=29, user_name="李四")
    assert pay.transfer(merchant(world, "I1"), small)["state"] == "WAIT_USER_CONFIRM"


def test_an_unbound_pair_is_refused_for_good(pay: Pay, wechat: WeChat, world: dict[str, Any]) -> None:
    mini = next(a["app_id"] for a in world["wechat"]["apps"] if (a["owner"], a["kind"]) == ("H2", "mini"))
    with pytest.raises(PartnerFault) as raised:
        pay.transfer(merchant(world, "I2"), transfer(wechat, world, "tf000003", app_id=mini))
    assert (raised.value.permanent, raised.value.unknown) == (True, False)


@pytest.mark.parametrize(
    ("fault", "permanent", "unknown"),
    [
        ({"drop": "before"}, False, True),
        ({"drop": "after"}, False, True),
        ({"delay_s": 1.0}, False, True),
        ({"status": 500, "body": {"code": "SYSTEM_ERROR"}}, False, True),
        ({"status": 429, "body": {"code": "FREQUENCY_LIMITED"}}, False, True),
        ({"status": 200, "body": {"state": "SUCCESS"}}, False, True),
        ({"status": 403, "body": {"code": "NO_AUTH"}}, True, False),
    ],
)
def test_what_a_failed_transfer_is_known_to_mean(
    pay: Pay, wechat: WeChat, world: dict[str, Any], fault: dict[str, Any], permanent: bool, unknown: bool
) -> None:
    """An answer that WeChat has not signed, whatever it says, is no answer."""
    wechat.fail("/transfer-bills$", **fault)
    with pytest.raises(PartnerFault) as raised:
        pay.transfer(merchant(world, "I1"), transfer(wechat, world, f"tf1{abs(hash(str(fault))) % 10**8}"))
    assert (raised.value.permanent, raised.value.unknown) == (permanent, unknown)


def test_nobody_there_means_unknown_or_not_sent(world: dict[str, Any], wechat: WeChat) -> None:
    with pytest.raises(PartnerFault) as raised:
        Pay("http://127.0.0.1:9", 0.5).transfer(merchant(world, "I1"), transfer(wechat, world, "tf000009"))
    assert not raised.value.permanent


HEADERS = {
    "Wechatpay-Timestamp": "1700000000",
    "Wechatpay-Nonce": "n",
    "Wechatpay-Signature": "WECHATPAY/SIGNTEST/x",
    "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
}


@pytest.mark.parametrize(
    ("changes", "now_s"),
    [
        ({}, 1_700_000_000),
        ({}, 1_700_000_301),
        ({}, 1_699_999_000),
        ({"Wechatpay-Timestamp": "soon"}, 1_700_000_000),
        ({"Wechatpay-Timestamp": "9" * 400}, 1_700_000_000),
        ({"Wechatpay-Timestamp": "9" * 5000}, 1_700_000_000),
        ({"Wechatpay-Timestamp": "²"}, 1_700_000_000),
        ({"Wechatpay-Signature": ""}, 1_700_000_000),
        ({"Wechatpay-Serial": "PUB_KEY_ID_OTHER"}, 1_700_000_000),
        ({"Wechatpay-Signature-Type": "MD5"}, 1_700_000_000),
    ],
)
@pytest.mark.parametrize("body", [b"{}", b"", b"\xff\xfe", b"[1]"])
def test_a_notification_that_does_not_verify_is_nothing(
    pay: Pay, world: dict[str, Any], changes: dict[str, str], now_s: float, body: bytes
) -> None:
    i1 = merchant(world, "I1")
    headers = HEADERS | {"Wechatpay-Serial": i1.wechat_public_key_id} | changes
    assert pay.read_notification(i1, headers, body, now_s) is None


def test_nothing_personal_stands_in_a_repr(wechat: WeChat, world: dict[str, Any]) -> None:
    wanted = transfer(wechat, world, "tf000010")
    assert "张三" not in repr(wanted) and wanted.openid not in repr(wanted)
    assert world["wechat"]["merchants"][0]["apiv3_key"] not in repr(merchant(world, "H1"))
