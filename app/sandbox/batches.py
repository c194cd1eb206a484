"""Whether a batch is what the exchange and the features behind it expect, row by row and bill by bill."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from typing import Any

from pydantic import BaseModel, ValidationError

from app.appointment import contracts as appointment
from app.exchange import service as exchange
from app.exchange.contracts import BatchIn
from app.record import service as record
from app.sandbox.contracts import LedgerIn
from app.sandbox.words import Fault, faults_of

CONTRACTS: Mapping[str, type[BaseModel]] = {
    "department": appointment.DepartmentIn,
    "doctor": appointment.DoctorIn,
    "slot": appointment.SlotIn,
    "ledger": LedgerIn,
    **{name: one.contract for name, one in record.ROW_TYPES.items()},
}
Row = tuple[str, Mapping[str, Any]]  # where it stands, and the row


def faults(text: str, body: Mapping[str, Any]) -> Iterator[Fault]:
    try:
        BatchIn.model_validate_json(text)
    except ValidationError as error:
        yield from faults_of(error)
        shaped = False
    else:
        shaped = True
    rows = list(_rows(body))
    for where, row in rows:
        yield from _row_faults(where, row, str(body.get("kind")))
    if shaped:
        yield from _declared(body)
    yield from _unbalanced(rows)


def hints(body: Mapping[str, Any]) -> Iterator[Fault]:
    """What may be right, depending on what was sent before."""
    rows = list(_rows(body))
    here = {(row["type"], _key(row)) for _, row in rows}
    for where, row in rows:
        known = record.ROW_TYPES.get(row["type"])
        if known is not None and known.parent and (known.parent_type, _key(row["data"], known.parent)) not in here:
            why = "所指的行不在本批次中：如果以前没有推送过，本行会等待它（waiting_parent），最多 24 小时"
            yield Fault(f"{where}.data.{known.parent}", why)
    times = Counter((row["type"], _key(row), str(row.get("version"))) for _, row in rows)
    if any(number > 1 for number in times.values()):
        yield Fault("rows", "同一 type、key、version 出现多次：只有第一行有效，其余为 unchanged")


def _rows(body: Mapping[str, Any]) -> Iterator[Row]:
    """Those that look like rows at all; what else is wrong the contract of the batch has said."""
    rows = body.get("rows")
    for number, row in enumerate(rows if isinstance(rows, list) else ()):
        if isinstance(row, dict) and isinstance(row.get("type"), str) and isinstance(row.get("data"), dict):
            yield f"rows[{number}]", row


def _key(row: Mapping[str, Any], name: str = "key") -> str:
    """As text, whatever it is."""
    return str(row.get(name))


def _row_faults(where: str, row: Mapping[str, Any], kind: str) -> Iterator[Fault]:
    allowed = exchange.ROW_TYPES.get(kind, frozenset())
    if row["type"] not in allowed:
        yield Fault(f"{where}.type", f"这一类批次只能有 {'、'.join(sorted(allowed)) or '（未知的 kind）'}")
        return
    try:
        CONTRACTS[row["type"]].model_validate(row["data"])
    except ValidationError as error:
        yield from faults_of(error, f"{where}.data")


def _declared(body: Mapping[str, Any]) -> Iterator[Fault]:
    text = exchange.canonical(body["rows"])
    digest = sha256(text).hexdigest()
    right = {"count": len(body["rows"]), "amount_fen": exchange.sum_fen(body["rows"]), "sha256": digest}
    how = {
        "count": "rows 的行数",
        "amount_fen": "bill 的 total_fen 与 ledger 的 amount_fen 之和",
        "sha256": f"rows 的规范 JSON（键排序、无空格、UTF-8、不转义，{len(text)} 字节）的 SHA-256",
    }
    for name in exchange.mismatches(body, body["rows"], digest):
        yield Fault(name, f"应为{how[name]}：{right[name]}")


def _unbalanced(rows: Iterable[Row]) -> Iterator[Fault]:
    """Bills whose lines are in the same batch; a bill that does not balance is kept, and nobody can claim it."""
    every = list(rows)
    lines: dict[str, list[Row]] = defaultdict(list)
    patients = {_key(row): row["data"].get("patient_no") for _, row in every if row["type"] == "visit"}
    for where, row in every:
        if row["type"] == "fee_line":
            lines[_key(row["data"], "bill_key")].append((where, row))
    for where, row in every:
        bill = row["data"]
        if row["type"] == "bill" and _key(row) in lines:
            same = patients.get(_key(bill, "visit_key"), bill.get("patient_no"))
            yield from _bill_faults(where, bill, lines[_key(row)], same == bill.get("patient_no"))


def _bill_faults(where: str, bill: Mapping[str, Any], lines: list[Row], same_patient: bool) -> Iterator[Fault]:
    wrong = [place for place, line in lines if not _is_right(line["data"])]
    for place in wrong:
        yield Fault(f"{place}.data.amount_fen", record.REFUSALS["line_amount_wrong"])
    parts = [bill.get(name) for name in ("total_fen", "fund_fen", "account_fen", "self_pay_fen")]
    amounts = [line["data"].get("amount_fen") for _, line in lines]
    if any(type(amount) is not int for amount in (*parts, *amounts)):
        return
    total_fen, *shares = parts
    numbers = [str(line["data"].get("line_no")) for _, line in lines if not _is_taken_back(line["data"])]
    sums = record.BillSums(
        settled=bill.get("status") != "unsettled",
        total_fen=total_fen or 0,
        parts_fen=sum(share or 0 for share in shares),
        lines_fen=sum(amount or 0 for amount in amounts),
        lines_distinct=len(set(numbers)) == len(numbers),
        same_patient=same_patient,
    )
    if why := record.refusal(sums):
        yield Fault(f"{where}.data", f"{record.REFUSALS[why]}（{why}）")


def _is_taken_back(line: Mapping[str, Any]) -> bool:
    return line.get("amount_fen") == 0 and str(line.get("quantity")).strip("0.") == ""


def _is_right(line: Mapping[str, Any]) -> bool:
    """True also for what is no number: the line's contract has said so."""
    try:
        price, quantity = Decimal(str(line.get("unit_price"))), Decimal(str(line.get("quantity")))
        amount = line.get("amount_fen")
        return type(amount) is not int or record.line_is_right(price, quantity, amount)
    except (InvalidOperation, ValueError, OverflowError):
        return True
