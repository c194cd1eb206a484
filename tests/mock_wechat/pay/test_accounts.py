from __future__ import annotations

from typing import Any

from mock_wechat.pay.accounts import Movement
from mock_wechat.server import WeChat
from tests.mock_wechat.kit import Api


def test_entries_add_up_to_the_balance(wechat: WeChat, merchant: dict[str, Any]) -> None:
    mchid = merchant["mchid"]
    for fen in (500, -300, 7):
        wechat.accounts.move(Movement(mchid, "BASIC", "交易", fen, "b", "v"))
    entries = wechat.accounts.entries(mchid, "BASIC", wechat.ground.book_date())
    assert [entry["balance_fen"] for entry in entries] == [1_000_500, 1_000_200, 1_000_207]
    assert len({entry["flow_no"] for entry in entries}) == 3
    assert wechat.accounts.balance(mchid, "OPERATION")["balance_fen"] == 1_000_000


def test_frozen_money_is_there_but_not_available(wechat: WeChat, merchant: dict[str, Any]) -> None:
    mchid = merchant["mchid"]
    wechat.accounts.freeze(mchid, "OPERATION", 400_000)
    assert wechat.accounts.available(mchid, "OPERATION") == 600_000
    wechat.accounts.freeze(mchid, "OPERATION", -400_000)
    assert wechat.accounts.balance(mchid, "OPERATION") == {"balance_fen": 1_000_000, "frozen_fen": 0}


def test_topping_up(api: Api, merchant: dict[str, Any]) -> None:
    path = f"/__mock__/merchants/{merchant['mchid']}"
    assert api.post(f"{path}/top_up", {"account": "BASIC", "fen": 5})["BASIC"]["balance_fen"] == 1_000_005
    assert api.get(path)["FEES"]["balance_fen"] == 0
    assert api.get("/__mock__/merchants/0")["code"] == "merchant_unknown"
    assert api.post("/__mock__/merchants/0/top_up", {"account": "BASIC", "fen": 5})["code"] == "merchant_unknown"
    assert api.post(f"{path}/top_up", {"account": "SAVINGS", "fen": 5})["code"] == "account_unknown"
