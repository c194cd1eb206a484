"""The work list as a file for a spreadsheet: every difference that the filters leave, text cells only."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.money import yuan
from app.exchange import service as exchange
from app.identity import service as identity
from app.reconciliation import queries, rules
from app.reconciliation.models import Difference
from app.reconciliation.queries import Filters
from app.reconciliation.report.listing import XLSX, listing

MEDIA_TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": XLSX,
}
HEAD = (
    *("编号", "业务日期", "类型", "流水号", "集合", "医院", "保险公司", "医院金额", "医院状态", "平台金额", "平台状态"),
    *("保险公司金额", "保险公司状态", "账单金额", "账单状态", "台账金额", "原因", "建议", "责任方", "处理状态", "天数"),
    *("处理人", "理由", "说明"),
)
_SIDES = ("hospital", "platform", "insurer", "bank")


def export(session: Session, filters: Filters, party_id: UUID | None, today: date, form: str) -> bytes:
    """`form` is csv (UTF-8 with a byte mark, as spreadsheets want it) or xlsx."""
    rows = _rows(session, filters, party_id, today)
    if form == "xlsx":
        return listing(rows, HEAD)
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEAD)
    writer.writerows([rules.escaped(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _rows(session: Session, filters: Filters, party_id: UUID | None, today: date) -> Iterator[Sequence[str]]:
    codes = {p.id: p.code for kind in ("hospital", "insurer") for p in exchange.parties(session, kind)}
    logins = identity.operator_logins(session)
    for row in queries.every_difference(session, filters, party_id):
        yield _cells(row, codes, logins, today)


def _cells(row: Difference, codes: dict[UUID, str], logins: dict[UUID, str], today: date) -> list[str]:
    what, next_step = rules.CAUSES.get(row.cause, (row.cause, ""))
    said = []
    for side in _SIDES:
        said += [_yuan(getattr(row, f"{side}_fen")), getattr(row, f"{side}_status") or ""]
    return [
        str(row.id),
        row.business_date.isoformat(),
        rules.KINDS[row.kind],
        row.clearing_no or row.key,
        row.found_set or "",
        *(codes.get(party, "") if party else "" for party in (row.hospital_id, row.insurer_id)),
        *said,
        _yuan(row.ledger_fen),
        what,
        next_step,
        rules.responsible(row.cause),
        row.status,
        str(max(0, (today - row.business_date).days)),
        logins.get(row.owner_id, "") if row.owner_id else "",
        row.reason or "",
        row.note or "",
    ]


def _yuan(amount_fen: int | None) -> str:
    return "" if amount_fen is None else yuan(amount_fen)
