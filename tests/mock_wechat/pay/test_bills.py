from __future__ import annotations

import csv
import gzip
import hashlib
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from wechatpayv3 import WeChatPay

from mock_wechat.pay.bill_files import FUND_HEADER, FUND_SUMMARY, TRADE_HEADER, TRADE_SUMMARY
from mock_wechat.server import WeChat
from mock_wechat.times import SHANGHAI, shanghai_date
from tests.mock_wechat.kit import Api, code_of, pay_client, text_of
from tests.mock_wechat.pay.test_transfers import bill


@pytest.fixture
def traded(pay: WeChatPay, wechat: WeChat, user: dict[str, Any], oa: dict[str, Any]) -> str:
    """A day with two orders (123.45 and 0.30 yuan), a refund of 23.45 and a transfer of 50.00; its date."""
    openid = user["openids"][oa["app_id"]]
    for number, fen in (("ORDER001", 12_345), ("ORDER002", 30)):
        order = pay.pay(description="门诊,缴费", out_trade_no=number, amount={"total": fen}, payer={"openid": openid})
        wechat.cashier.pay("zhang", text_of(order)["prepay_id"])
    amount = {"refund": 2_345, "total": 12_345, "currency": "CNY"}
    text_of(pay.refund(out_refund_no="R1", out_trade_no="ORDER001", amount=amount))
    text_of(bill(pay, openid))
    wechat.transfer_book.confirm(wechat.transfer_book.confirmable("zhang", out_bill_no="P1"))
    return shanghai_date(wechat.clock.now()).isoformat()


@pytest.fixture
def next_day(wechat: WeChat, traded: str) -> str:
    wechat.clock.advance(timedelta(days=2).total_seconds())
    return traded


def fetch(pay: WeChatPay, answer: tuple[int, Any], packed: bool = False) -> list[list[str]]:
    offer = text_of(answer)
    status, content = pay.download_bill(offer["download_url"])
    assert status == 200
    plain = gzip.decompress(content) if packed else content
    assert hashlib.sha1(plain, usedforsecurity=False).hexdigest() == offer["hash_value"]
    return list(csv.reader(plain.decode("utf-8-sig").splitlines()))


def test_the_trade_bill_has_orders_and_refunds_but_no_transfer(pay: WeChatPay, next_day: str) -> None:
    lines = fetch(pay, pay.trade_bill(next_day), packed=True)
    assert [lines[0], lines[-2]] == [TRADE_HEADER.split(","), TRADE_SUMMARY.split(",")]
    rows = [dict(zip(lines[0], row, strict=True)) for row in lines[1:-2]]
    assert all(cell.startswith("`") for row in rows for cell in row.values())
    assert sorted((r["商户订单号"], r["交易状态"], r["订单金额"], r["申请退款金额"]) for r in rows) == [
        ("`ORDER001", "`REFUND", "`0.00", "`23.45"),
        ("`ORDER001", "`SUCCESS", "`123.45", "`0.00"),
        ("`ORDER002", "`SUCCESS", "`0.30", "`0.00"),
    ]
    assert rows[0]["商品名称"] == "`门诊\\ 缴费"
    assert lines[-1] == ["`3", "`123.75", "`23.45", "`0.00", "`0.60000", "`123.75", "`23.45"]


def test_the_fund_flow_bills_follow_the_money(pay: WeChatPay, next_day: str, wechat: WeChat) -> None:
    lines = fetch(pay, pay.fundflow_bill(next_day, "BASIC", None))
    assert [lines[0], lines[-2]] == [FUND_HEADER.split(","), FUND_SUMMARY.split(",")]
    rows = [dict(zip(lines[0], row, strict=True)) for row in lines[1:-2]]
    assert [(r["业务类型"], r["收支类型"], r["收支金额(元)"]) for r in rows] == [
        ("`交易", "`收入", "`123.45"),
        ("`扣除交易手续费", "`支出", "`0.74"),
        ("`交易", "`收入", "`0.30"),
        ("`退款", "`支出", "`23.45"),
        ("`退还交易手续费", "`收入", "`0.14"),
    ]
    assert rows[-1]["账户结余(元)"] == "`10099.70"
    assert lines[-1] == ["`5", "`3", "`123.89", "`2", "`24.19"]
    operation = fetch(pay, pay.fundflow_bill(next_day, "OPERATION", None))
    assert [operation[1][i] for i in (3, 5, 6, 10)] == ["`商家转账", "`支出", "`50.00", "`P1"]


def test_a_bill_is_ready_at_ten_on_the_next_day(pay: WeChatPay, traded: str, wechat: WeChat) -> None:
    assert code_of(pay.trade_bill(traded)) == (400, "PARAM_ERROR")
    ready = datetime.combine(date.fromisoformat(traded) + timedelta(days=1), time(10), SHANGHAI)
    wechat.clock.advance((ready - wechat.clock.now()).total_seconds() - 60)
    assert code_of(pay.trade_bill(traded)) == (400, "STATEMENT_CREATING")
    wechat.clock.advance(61)
    assert text_of(pay.trade_bill(traded))["hash_type"] == "SHA1"


def test_a_double_may_be_told_not_to_wait(pay: WeChatPay, traded: str, wechat: WeChat) -> None:
    wechat.settings.bills_wait = False
    assert text_of(pay.trade_bill(traded))["hash_type"] == "SHA1"


def test_nothing_happened(pay: WeChatPay, next_day: str, wechat: WeChat, world: dict[str, Any]) -> None:
    other = pay_client(wechat, world["merchants"][1])
    assert code_of(other.trade_bill(next_day)) == (400, "NO_STATEMENT_EXIST")
    assert code_of(pay.fundflow_bill(next_day, "FEES")) == (400, "NO_STATEMENT_EXIST")
    assert code_of(pay.trade_bill("2026-02-30")) == (400, "PARAM_ERROR")


def test_a_download_is_the_merchants_own_and_lives_five_minutes(
    pay: WeChatPay, next_day: str, wechat: WeChat, world: dict[str, Any]
) -> None:
    url = text_of(pay.trade_bill(next_day))["download_url"]
    other = pay_client(wechat, world["merchants"][1])
    assert code_of(other.download_bill(url)) == (403, "NO_AUTH")
    wechat.clock.advance(301)
    assert code_of(pay.download_bill(url)) == (400, "INVALID_REQUEST")


def test_the_hash_over_the_compressed_file_is_a_setting(pay: WeChatPay, next_day: str, api: Api) -> None:
    api.post("/__mock__/settings", {"bill_hash_over": "compressed", "bill_starts_with_bom": False})
    offer = text_of(pay.trade_bill(next_day))
    _, content = pay.download_bill(offer["download_url"])
    assert hashlib.sha1(content, usedforsecurity=False).hexdigest() == offer["hash_value"]
    assert gzip.decompress(content).startswith("交易时间".encode())


def test_a_fixed_business_date_books_under_it(
    pay: WeChatPay, wechat: WeChat, user: dict[str, Any], oa: dict[str, Any]
) -> None:
    wechat.settings.business_date, wechat.settings.bills_wait = "2026-01-05", False
    payer = {"openid": user["openids"][oa["app_id"]]}
    order = pay.pay(description="x", out_trade_no="ORDER001", amount={"total": 100}, payer=payer)
    wechat.cashier.pay("zhang", text_of(order)["prepay_id"])
    assert len(fetch(pay, pay.trade_bill("2026-01-05", tar_type="PLAIN"))) == 4
