"""Lists of differences of any length as one sheet of text cells."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

import xlsxwriter

from app.reconciliation import rules

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def listing(rows: Iterable[Sequence[str]], head: Sequence[str]) -> bytes:
    """A workbook that is written row by row: hundreds of thousands fit."""
    content = io.BytesIO()
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(content, options)
    sheet, bold = book.add_worksheet("差异"), book.add_format({"bold": True})
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(head), 16)
    for column, title in enumerate(head):
        sheet.write_string(0, column, title, bold)
    for place, row in enumerate(rows, 1):
        for column, cell in enumerate(row):
            sheet.write_string(place, column, rules.escaped(cell))
    book.close()
    return content.getvalue()
