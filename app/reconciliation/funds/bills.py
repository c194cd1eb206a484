"""Bills of WeChat Pay and statements of a bank as rows. Columns are found by their names, never by their places.

Source: WeChat Pay merchant documentation, 交易账单 and 资金账单: a backtick before every cell, amounts in yuan, a
second table with sums at the end. A bill whose sums do not fit its rows is not used (BillError `declared`).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from app.core.money import fen_from_yuan
from app.reconciliation.engine.trailer import MARK, find_trailer

TRADE, BASIC, OPERATION, BANK = "trade", "basic", "operation", "bank"
PAYMENT, REFUND, PAYOUT, RETURN, FLOW = "payment", "refund", "payout", "return", "flow"
_TRADE_COLUMNS = (
    *("微信订单号", "商户订单号", "交易状态", "应结订单金额", "微信退款单号", "商户退款单号", "退款金额", "退款状态"),
    *("订单金额", "申请退款金额"),
)
_FLOW_COLUMNS = ("微信支付业务单号", "业务类型", "收支类型", "收支金额(元)", "业务凭证号")
_BANK_COLUMNS = ("out_no", "kind", "from_account", "amount_fen", "status")
_INCOME, _EXPENSE = "收入", "支出"
_BANK_MOVED = ("succeeded", "accepted")


class BillError(Exception):
    """The file cannot stand for the day. `code`: header, declared or unreadable."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Moved:
    """One movement. `what`: payment, refund, payout, return, or flow (of a merchant's basic account). `number` is ours,
    for a flow WeChat's own, which `provider_no` is for the others. `settled_fen` is what the flow must show.
    `account` is whose money a bank moved."""

    what: str
    number: str
    fen: int
    status: str
    provider_no: str = ""
    settled_fen: int = 0
    account: str = ""


@dataclass(frozen=True)
class Bill:
    """`bad_lines`: lines that could not be read; they are in no row."""

    rows: Sequence[Moved] = ()
    bad_lines: Sequence[int] = ()

    @property
    def sum_fen(self) -> int:
        return sum(row.fen for row in self.rows)

    def dump(self) -> bytes:
        return json.dumps({"rows": [asdict(row) for row in self.rows], "bad_lines": list(self.bad_lines)}).encode()

    @classmethod
    def load(cls, content: bytes) -> Bill:
        said = json.loads(content)
        return cls([Moved(**row) for row in said["rows"]], said["bad_lines"])


def read(kind: str, content: bytes | None) -> Bill:
    """A bill of the kind trade, basic, operation or bank; None is a day on which nothing happened. BillError."""
    if content is None:
        return Bill()
    return _statement(content) if kind == BANK else _wechat(kind, content)


def _wechat(kind: str, content: bytes) -> Bill:
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise BillError("unreadable") from error
    header, rows, sums = _tables(lines)
    needed = _TRADE_COLUMNS if kind == TRADE else _FLOW_COLUMNS
    if not set(needed) <= set(header):
        raise BillError("header")
    moved: list[Moved] = []
    bad_lines: list[int] = []
    for line, cells in rows:
        row = dict(zip(header, cells, strict=False))
        try:
            moved += _traded(row) if kind == TRADE else _flowed(kind, row)
        except (KeyError, ValueError):
            bad_lines.append(line)
    if int(sums[0]) != len(rows):
        raise BillError("declared")
    if kind == TRADE and not bad_lines:
        _require_sums(moved, sums[-2:])
    return Bill(moved, bad_lines)


def _tables(lines: Sequence[str]) -> tuple[list[str], list[tuple[int, list[str]]], list[str]]:
    """The header, the rows with their line numbers, and the row of sums."""
    filled = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if len(filled) < 3 or filled[-1][1][:1] != "`" or filled[-2][1][:1] == "`":
        raise BillError("declared")
    sums = _cells(filled[-1][1])
    if not (sums[0].isascii() and sums[0].isdigit()):
        raise BillError("declared")
    return next(csv.reader([filled[0][1]])), [(number, _cells(line)) for number, line in filled[1:-2]], sums


def _cells(line: str) -> list[str]:
    """A comma inside a cell is written as backslash and blank, so every comma parts two cells."""
    return [cell.removeprefix("`").replace("\\ ", ",").replace("\\n", "\n") for cell in line.split(",")]


def _require_sums(moved: Sequence[Moved], sums: Sequence[str]) -> None:
    found = [sum(row.fen for row in moved if row.what == what) for what in (PAYMENT, REFUND)]
    try:
        declared = [fen_from_yuan(text) for text in sums]
    except ValueError as error:
        raise BillError("declared") from error
    if found != declared:
        raise BillError("declared")


def _traded(row: Mapping[str, str]) -> Iterator[Moved]:
    """A line of a trade bill: a payment by its order amount, or a refund by what was asked for."""
    status = row["交易状态"]
    if status in ("SUCCESS", "REVOKED"):
        fen, settled_fen = fen_from_yuan(row["订单金额"]), fen_from_yuan(row["应结订单金额"])
        yield Moved(PAYMENT, _named(row["商户订单号"]), fen, status, row["微信订单号"], settled_fen)
    elif status == "REFUND":
        fen, settled_fen = fen_from_yuan(row["申请退款金额"]), fen_from_yuan(row["退款金额"])
        yield Moved(REFUND, _named(row["商户退款单号"]), fen, row["退款状态"], row["微信退款单号"], settled_fen)
    else:
        raise ValueError(status)


def _flowed(kind: str, row: Mapping[str, str]) -> Iterator[Moved]:
    """A line of a fund flow. Of the operation account transfers matter; fees, charges and withdrawals are nobody's."""
    direction, fen = row["收支类型"], fen_from_yuan(row["收支金额(元)"])
    if direction not in (_INCOME, _EXPENSE):
        raise ValueError(direction)
    number, business = row["微信支付业务单号"], row["业务类型"]
    if kind == BASIC and "手续费" not in business:
        yield Moved(FLOW, number, fen if direction == _INCOME else -fen, business, number)
    elif kind == OPERATION and "转账" in business:
        what = PAYOUT if direction == _EXPENSE else RETURN
        yield Moved(what, _named(row["业务凭证号"]), fen, "SUCCESS", number)


def _named(number: str) -> str:
    if not number:
        raise ValueError("no number")
    return number


def _statement(content: bytes) -> Bill:
    """A bank's statement: CSV with header and trailer; a transfer that failed moved nothing."""
    trailer = find_trailer(content)
    if trailer is None:
        raise BillError("no_trailer")
    try:
        rows = list(csv.DictReader(content.decode("utf-8-sig").splitlines()))
    except UnicodeDecodeError as error:
        raise BillError("unreadable") from error
    rows = [row for row in rows if not str(next(iter(row.values()))).startswith(MARK.decode())]
    if rows and not set(_BANK_COLUMNS) <= set(rows[0]):
        raise BillError("header")
    moved: list[Moved] = []
    bad_lines: list[int] = []
    declared_fen = 0
    for line, row in enumerate(rows, 2):
        amount = row["amount_fen"] or ""
        is_good = amount.isascii() and amount.isdigit() and bool(row["out_no"]) and row["kind"] in _BANK_KINDS
        declared_fen += int(amount) if amount.isascii() and amount.isdigit() else 0
        if not is_good:
            bad_lines.append(line)
        elif row["status"] in _BANK_MOVED:
            what = _BANK_KINDS[row["kind"]]
            moved.append(Moved(what, row["out_no"], int(amount), row["status"], account=row["from_account"]))
    if trailer.faults(content, len(rows), declared_fen):
        raise BillError("declared")
    return Bill(moved, bad_lines)


_BANK_KINDS = {"transfer": PAYOUT, "return": RETURN}
