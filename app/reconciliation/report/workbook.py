"""The workbook of a night: one sheet for each set, and one each for what else does not agree."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from decimal import Decimal

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from app.reconciliation import rules
from app.reconciliation.engine.found import SETS
from app.reconciliation.engine.ledger import PARTIES
from app.reconciliation.models import Difference
from app.reconciliation.report.figures import Figures

Cell = str | int | Decimal
_HEAD = {
    "流水号": 22,
    "医院金额（元）": 15,
    "医院状态": 12,
    "平台金额（元）": 15,
    "平台状态": 12,
    "保险公司金额（元）": 18,
    "保险公司状态": 14,
    "原因": 34,
    "建议": 60,
    "处理状态": 12,
    "说明": 30,
}
_OTHERS = {
    "amount": "金额不一致",
    "status": "状态不一致",
    "duplicate": "重复",
    "bad_row": "无法识别",
    "tampered": "校验",
}
_TOTALS = ("范围", "笔数", "金额（元）", "成功笔数", "成功金额（元）", "失败笔数", "失败金额（元）")
_SOMETHING, _NOTHING = "#c62828", "#9e9e9e"


class _Book:
    """Numbers of 19 digits are text cells, because a spreadsheet would round them; amounts are numbers that add up."""

    def __init__(self, content: io.BytesIO) -> None:
        options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        self.file = xlsxwriter.Workbook(content, options)
        self._head = self.file.add_format({"bold": True, "bg_color": "#f2f4f7", "bottom": 1})
        self._count = self.file.add_format({"num_format": "#,##0"})
        self._amount = self.file.add_format({"num_format": "#,##0.00"})

    def sheet(self, name: str, widths: Sequence[int]) -> Worksheet:
        sheet = self.file.add_worksheet(name)
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        sheet.ignore_errors({"number_stored_as_text": "A1:A1048576"})
        return sheet

    def head(self, sheet: Worksheet, place: int, titles: Iterable[str]) -> None:
        self._write(sheet, place, titles, self._head)

    def line(self, sheet: Worksheet, place: int, cells: Iterable[Cell]) -> None:
        self._write(sheet, place, cells, None)

    def _write(self, sheet: Worksheet, place: int, cells: Iterable[Cell], style: Format | None) -> None:
        for column, cell in enumerate(cells):
            if isinstance(cell, str):
                sheet.write_string(place, column, rules.escaped(cell), style)
            else:
                sheet.write_number(place, column, cell, self._amount if isinstance(cell, Decimal) else self._count)


def xlsx(figures: Figures) -> bytes:
    content = io.BytesIO()
    book = _Book(content)
    _summary(book, figures)
    for name in SETS:
        rows = [row for row in figures.differences if row.found_set == name and row.kind != "status"]
        _differences(book, name, _once(rows))
    for kind, title in _OTHERS.items():
        _differences(book, title, [row for row in figures.differences if row.kind == kind])
    book.file.close()
    return content.getvalue()


def _once(rows: Iterable[Difference]) -> list[Difference]:
    """A number with several differences stands on its set's sheet once."""
    return list({row.clearing_no: row for row in rows}.values())


def _summary(book: _Book, figures: Figures) -> None:
    overall = figures.overall
    sheet = book.sheet("汇总", (28, 34, 16, 16, 16, 16, 16))
    book.line(sheet, 0, ("对账日期", figures.day.isoformat()))
    book.head(sheet, 2, ("集合（医院 平台 保险公司）", "说明", "笔数"))
    counts = [(name, rules.meaning(name), count) for name, count in overall.sets.items()]
    counts += [("", "金额不一致", overall.amount_differs), ("", "状态不一致", overall.status_differs)]
    for place, count in enumerate(counts, 3):
        book.line(sheet, place, count)
    begin = 4 + len(counts)
    book.head(sheet, begin, _TOTALS)
    for place, (scope, total) in enumerate(overall.totals.items(), begin + 1):
        pairs = (
            (total.count, total.amount_fen),
            (total.success_count, total.success_amount_fen),
            (total.failure_count, total.failure_amount_fen),
        )
        numbers = [cell for count, fen in pairs for cell in (count, _in_yuan(fen))]
        book.line(sheet, place, (rules.SCOPE_NAMES[scope], *numbers))


def _differences(book: _Book, name: str, rows: Sequence[Difference]) -> None:
    """The colour of the tab tells whether there is anything to read."""
    sheet = book.sheet(name, tuple(_HEAD.values()))
    sheet.set_tab_color(_SOMETHING if rows else _NOTHING)
    book.head(sheet, 0, _HEAD)
    for place, row in enumerate(rows, 1):
        book.line(sheet, place, cells(row))
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, len(rows), len(_HEAD) - 1)


def cells(row: Difference) -> list[Cell]:
    """One difference in the order of the head: words as text, amounts as numbers, nothing as an empty text."""
    what, next_step = rules.CAUSES.get(row.cause, (row.cause, ""))
    said: list[Cell] = []
    for role in PARTIES:
        amount_fen = getattr(row, f"{role}_fen")
        said += ["" if amount_fen is None else _in_yuan(amount_fen), rules.status_name(getattr(row, f"{role}_status"))]
    handling = rules.HANDLING_NAMES.get(row.status, row.status)
    return [row.clearing_no or row.key, *said, what, next_step, handling, row.note or ""]


def _in_yuan(amount_fen: int) -> Decimal:
    return Decimal(amount_fen) / 100
