"""Bills as WeChat Pay and a bank really write them, and files that must not be used."""

from __future__ import annotations

import hashlib

import pytest

from app.reconciliation.funds.bills import Bill, BillError, Moved, read
from mock_partners import books
from mock_wechat.pay.bill_files import FUND_HEADER, FUND_SUMMARY, TRADE_HEADER, TRADE_SUMMARY

STATEMENT = ("bank_no", "out_no", "kind", "from_account", "to_account", "amount_fen", "status", "at")


def cells(header: str, **named: str) -> str:
    return ",".join("`" + named.get(name, "") for name in header.split(","))


def trade(*rows: str, sums: str = "", header: str = TRADE_HEADER) -> bytes:
    return ("\ufeff" + "\r\n".join([header, *rows, TRADE_SUMMARY, sums]) + "\r\n").encode()


PAID = cells(
    TRADE_HEADER, 微信订单号="420001", 商户订单号="PO1", 交易状态="SUCCESS", 应结订单金额="12.00", 订单金额="12.34",
    商品名称="挂号\\ 费", 申请退款金额="0.00", 退款金额="0.00",
)  # fmt: skip
BACK = cells(
    TRADE_HEADER, 微信订单号="420001", 商户订单号="PO1", 交易状态="REFUND", 应结订单金额="0.00", 订单金额="0.00",
    微信退款单号="500001", 商户退款单号="RF1", 退款金额="2.00", 申请退款金额="2.34", 退款状态="PROCESSING",
)  # fmt: skip
SUMS = "`2,`12.00,`2.00,`0.00,`0.00000,`12.34,`2.34"


def test_a_trade_bill_by_the_names_of_its_columns() -> None:
    bill = read("trade", trade(PAID, BACK, sums=SUMS))
    assert bill == Bill(
        [
            Moved("payment", "PO1", 1234, "SUCCESS", "420001", 1200),
            Moved("refund", "RF1", 234, "PROCESSING", "500001", 200),
        ],
        [],
    )
    assert Bill.load(bill.dump()) == bill


def test_a_line_that_cannot_be_read_is_told_and_the_rest_goes_on() -> None:
    bill = read("trade", trade(PAID, PAID.replace("`12.34", "`12.345"), sums=SUMS))
    assert (len(bill.rows), bill.bad_lines) == (1, [3])


@pytest.mark.parametrize(
    "content",
    [
        trade(PAID, sums=SUMS),
        trade(PAID, BACK, sums=SUMS.replace("`12.34", "`12.35")),
        trade(PAID, BACK, sums="x"),
        trade(PAID, BACK, sums=SUMS, header="a,b"),
        trade(PAID, BACK, sums=SUMS)[: len(PAID)],
        b"\xff\xfe",
        b"",
    ],
)
def test_a_trade_bill_that_is_not_whole_is_not_used(content: bytes) -> None:
    with pytest.raises(BillError):
        read("trade", content)


def test_of_a_fund_flow_fees_and_withdrawals_do_not_matter() -> None:
    def row(business: str, direction: str, yuan: str, voucher: str) -> str:
        return cells(
            FUND_HEADER, 微信支付业务单号="W" + voucher, 业务类型=business, 收支类型=direction, 微信="",
            **{"收支金额(元)": yuan}, 业务凭证号=voucher,
        )  # fmt: skip

    lines = [
        row("商家转账", "支出", "50.00", "TF1"),
        row("提现", "支出", "9.00", "W1"),
        row("商家转账", "收入", "1.00", "TF0"),
        row("扣除交易手续费", "支出", "0.60", "x"),
    ]
    content = "\n".join([FUND_HEADER, *lines, FUND_SUMMARY, "`4,`1,`1.00,`3,`59.60"]).encode()
    said = [(one.what, one.number, one.fen) for one in read("operation", content).rows]
    assert said == [("payout", "TF1", 5000), ("return", "TF0", 100)]
    flows = [(one.what, one.number, one.fen) for one in read("basic", content).rows]
    assert flows == [("flow", "WTF1", -5000), ("flow", "WW1", -900), ("flow", "WTF0", 100)]


def statement(*rows: tuple[str, str, int, str], fault: str = "") -> bytes:
    named = [
        dict.fromkeys(STATEMENT, "") | {"out_no": no, "kind": kind, "amount_fen": fen, "status": status}
        for no, kind, fen, status in rows
    ]
    return books.csv_file(STATEMENT, named, fault).encode()


def test_a_banks_statement_without_what_moved_nothing() -> None:
    content = statement(
        ("A", "transfer", 5, "succeeded"), ("B", "transfer", 6, "failed"), ("A", "return", 5, "succeeded")
    )
    assert [(one.what, one.number, one.fen) for one in read("bank", content).rows] == [
        ("payout", "A", 5),
        ("return", "A", 5),
    ]
    assert read("bank", statement(("A", "loan", 5, "succeeded"))).bad_lines == [2]
    assert read("bank", statement()).rows == []


@pytest.mark.parametrize("fault", ["no_trailer", "count", "amount", "sha256"])
def test_a_statement_whose_trailer_does_not_fit_is_not_used(fault: str) -> None:
    with pytest.raises(BillError):
        read("bank", statement(("A", "transfer", 5, "succeeded"), fault=fault))


def test_a_day_without_movements_is_an_empty_bill() -> None:
    assert read("trade", None) == Bill()
    assert hashlib.sha256(Bill().dump()).hexdigest()
