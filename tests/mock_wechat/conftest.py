"""One WeChat double per test, over a world whose keys are made once."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from wechatpayv3 import WeChatPay

from mock_wechat.keys import make_app, make_merchant
from mock_wechat.server import WeChat
from tests.mock_wechat.kit import Api, Receiver, pay_client, text_of

TEMPLATES = {"paid": "tpl-paid", "strict": {"id": "tpl-strict", "fields": ["thing1", "amount2"]}}


@pytest.fixture(scope="session")
def made_world() -> dict[str, Any]:
    oa = make_app("oa", "H1", templates=TEMPLATES, domain="h5.example.com")
    mini = make_app("mini", "H1", templates=TEMPLATES, pages=["pages/claim"])
    merchant = make_merchant("H1", [oa["app_id"], mini["app_id"]], balance_fen=1_000_000)
    insurer = make_merchant("I1", [oa["app_id"]], balance_fen=1_000_000)
    return {"apps": [oa, mini], "merchants": [merchant, insurer]}


@pytest.fixture
def world(made_world: dict[str, Any]) -> dict[str, Any]:
    settings = {"ladder_factor": 0.001, "refund_takes_s": 0, "refund_gap_s": 0}
    return {**copy.deepcopy(made_world), "settings": settings}


@pytest.fixture
def oa(world: dict[str, Any]) -> dict[str, Any]:
    return dict(world["apps"][0])


@pytest.fixture
def mini(world: dict[str, Any]) -> dict[str, Any]:
    return dict(world["apps"][1])


@pytest.fixture
def merchant(world: dict[str, Any]) -> dict[str, Any]:
    return dict(world["merchants"][0])


@pytest.fixture
def wechat(world: dict[str, Any]) -> Iterator[WeChat]:
    with WeChat(world) as double:
        yield double


@pytest.fixture
def api(wechat: WeChat) -> Api:
    return Api(wechat.url)


@pytest.fixture
def user(wechat: WeChat) -> dict[str, Any]:
    return wechat.people.add({"user": "zhang", "name": "张三", "phone": "13800000001"})


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    double = Receiver()
    double.start()
    yield double
    double.stop()


@pytest.fixture
def pay(wechat: WeChat, merchant: dict[str, Any], receiver: Receiver) -> WeChatPay:
    return pay_client(wechat, merchant, notify_url=f"{receiver.url}/notify")


@pytest.fixture
def prepay_id(pay: WeChatPay, user: dict[str, Any], oa: dict[str, Any]) -> str:
    """An order over 1.00 yuan of the user, to be paid."""
    payer = {"openid": user["openids"][oa["app_id"]]}
    order = pay.pay(description="x", out_trade_no="ORDER001", amount={"total": 100}, payer=payer)
    return str(text_of(order)["prepay_id"])
