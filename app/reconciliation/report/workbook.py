"""The workbook of a night: one sheet for each set, and one each for what else does not agree."""

from __future__ import annotations

import io
from collections.abc import Iterable

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from app.core.money import yuan
from app.reconciliation import rules
from app.reconciliation.engine.found import SETS
from app.reconciliation.engine.ledger import PARTIES
from app.reconciliation.models import Difference
from app.reconciliation.report.figures import Figures

_SAYS = ("医院金额", "医院状态", "平台金额", "平台状态", "保险公司金额", "保险公司状态")
_HEAD = ("流水号", *_SAYS, "原因", "建议", "处理状态", "说明")
_OTHERS = {
    "amount": "金额不一致",
    "status": "状态不一致",
    "duplicate": "重复",
    "bad_row": "无法识别",
    "tampered": "校验",
}
_WIDTHS = (22, 12, 12, 12, 12, 14, 14, 26, 44, 12, 26)


def xlsx(figures: Figures) -> bytes:
    """Clearing numbers and amounts are text cells: a spreadsheet would round 19 digits."""
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    bold = book.add_format({"bold": True})
    _summary(book.add_worksheet("汇总"), figures, bold)
    for name in SETS:
        rows = [row for row in figures.differences if row.found_set == name and row.kind != "status"]
        _sheet(book.add_worksheet(name), _once(rows), bold)
    for kind, title in _OTHERS.items():
        _sheet(book.add_worksheet(title), [row for row in figures.differences if row.kind == kind], bold)
    book.close()
    return content.getvalue()


def _once(rows: Iterable[Difference]) -> list[Difference]:
    """A number with several differences stands on its set's sheet once."""
    return list({row.clearing_no: row for row in rows}.values())


def _summary(sheet: Worksheet, figures: Figures, bold: object) -> None:
    overall = figures.overall
    lines: list[tuple[str, ...]] = [("对账日期", figures.day.isoformat()), ("集合（医院 平台 保险公司）", "笔数")]
    lines += [(name, str(count)) for name, count in overall.sets.items()]
    lines += [("金额不一致", str(overall.amount_differs)), ("状态不一致", str(overall.status_differs))]
    lines.append(("范围", "笔数", "金额", "成功笔数", "成功金额", "失败笔数", "失败金额"))
    for scope, total in overall.totals.items():
        counts = (total.count, total.success_count, total.failure_count)
        amounts = (total.amount_fen, total.success_amount_fen, total.failure_amount_fen)
        pairs = (text for count, fen in zip(counts, amounts, strict=True) for text in (str(count), yuan(fen)))
        lines.append((scope, *pairs))
    sheet.set_column(0, 6, 18)
    for place, line in enumerate(lines):
        for column, text in enumerate(line):
            sheet.write_string(place, column, rules.escaped(text), bold if place in (0, 1) else None)


def _sheet(sheet: Worksheet, rows: Iterable[Difference], bold: object) -> None:
    for column, (title, width) in enumerate(zip(_HEAD, _WIDTHS, strict=True)):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, title, bold)
    for place, row in enumerate(rows, 1):
        for column, text in enumerate(cells(row)):
            sheet.write_string(place, column, rules.escaped(text))
    sheet.freeze_panes(1, 1)


def cells(row: Difference) -> list[str]:
    """One difference as text, in the order of the head."""
    what, next_step = rules.CAUSES.get(row.cause, (row.cause, ""))
    said: list[str] = []
    for role in PARTIES:
        amount_fen = getattr(row, f"{role}_fen")
        said += ["" if amount_fen is None else yuan(amount_fen), getattr(row, f"{role}_status") or ""]
    return [row.clearing_no or row.key, *said, what, next_step, row.status, row.note or ""]
