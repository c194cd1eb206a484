"""The files themselves: comma-separated lines, a backtick before every cell, amounts in yuan, a summary at the end.

Source: WeChat Pay merchant documentation, 交易账单 and 资金账单.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from mock_wechat.times import bill_time

TRADE_HEADER = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,"
    "手续费,费率,订单金额,申请退款金额,费率备注"
)
TRADE_SUMMARY = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
FUND_HEADER = (
    "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),"
    "资金变更提交申请人,备注,业务凭证号"
)
FUND_SUMMARY = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额"
NONE = "0.00"


def trade_file(
    orders: list[dict[str, Any]], refunds: list[dict[str, Any]], originals: dict[str, dict[str, Any]], rate: str
) -> str:
    """A trade bill: one line per paid order, one per finished refund; `originals` are the refunds' orders."""
    percent = f"{Decimal(rate) * 100:.2f}%"
    rows = [(order["success_time"], _order_row(order, percent)) for order in orders]
    rows += [(r["success_time"], _refund_row(r, originals[r["transaction_id"]], percent)) for r in refunds]
    paid = sum(order["amount"]["total"] for order in orders)
    back = sum(refund["refund_fen"] for refund in refunds)
    fees = sum(o["fee_fen"] for o in orders) - sum(r["fee_fen"] for r in refunds)
    summary = [str(len(rows)), _yuan(paid), _yuan(back), NONE, _fee(fees), _yuan(paid), _yuan(back)]
    return _file(TRADE_HEADER, [row for _, row in sorted(rows)], TRADE_SUMMARY, summary)


def _order_row(order: dict[str, Any], percent: str) -> list[str]:
    total = _yuan(order["amount"]["total"])
    head = [*_head(order["success_time"], order), "SUCCESS", "OTHERS", "CNY", total, NONE]
    refund = ["0", "0", NONE, NONE, "", ""]
    return [*head, *refund, order["description"], order["attach"], _fee(order["fee_fen"]), percent, total, NONE, ""]


def _refund_row(refund: dict[str, Any], order: dict[str, Any], percent: str) -> list[str]:
    back = _yuan(refund["refund_fen"])
    head = [*_head(refund["success_time"], order), "REFUND", "OTHERS", "CNY", NONE, NONE]
    cells = [refund["refund_id"], refund["out_refund_no"], back, NONE, "ORIGINAL", "SUCCESS"]
    fee = _fee(-refund["fee_fen"])
    return [*head, *cells, order["description"], order["attach"], fee, percent, NONE, back, ""]


def _head(at: str, order: dict[str, Any]) -> list[str]:
    payee = [order["appid"], order["mchid"], "0", ""]
    return [bill_time(at), *payee, order["transaction_id"], order["out_trade_no"], order["payer"]["openid"], "JSAPI"]


def fund_flow_file(entries: list[dict[str, Any]]) -> str:
    """A fund-flow bill of one account: one line per movement, in the order in which they were booked."""
    rows = [_entry_row(entry) for entry in entries]
    incomes = [e["fen"] for e in entries if e["fen"] > 0]
    expenses = [-e["fen"] for e in entries if e["fen"] < 0]
    counts = [str(len(rows)), str(len(incomes)), _yuan(sum(incomes)), str(len(expenses)), _yuan(sum(expenses))]
    return _file(FUND_HEADER, rows, FUND_SUMMARY, counts)


def _entry_row(entry: dict[str, Any]) -> list[str]:
    direction = "收入" if entry["fen"] > 0 else "支出"
    numbers = [bill_time(entry["at"]), entry["business_no"], entry["flow_no"], entry["kind"], entry["kind"]]
    amounts = [direction, _yuan(abs(entry["fen"])), _yuan(entry["balance_fen"])]
    return [*numbers, *amounts, "system", entry["remark"], entry["voucher_no"]]


def _file(header: str, rows: Iterable[list[str]], summary_header: str, summary: list[str]) -> str:
    lines = [header, *map(_line, rows), summary_header, _line(summary)]
    return "".join(line + "\r\n" for line in lines)


def _line(cells: list[str]) -> str:
    return ",".join("`" + cell.replace(",", "\\ ").replace("\n", "\\n") for cell in cells)


def _yuan(fen: int) -> str:
    return f"{Decimal(fen) / 100:.2f}"


def _fee(fen: int) -> str:
    return f"{Decimal(fen) / 100:.5f}"
