"""Documents for people as PDF, in Chinese. The font STSong-Light is one that every PDF reader brings along for Chinese
(Adobe's Asian font packs; poppler and PDFium replace it by an installed one), so none has to be shipped. Latin letters
and digits, and the dot in 欧阳·娜 that Adobe-GB1 lacks, are set in Helvetica, which every reader has too.

The same content gives the same bytes: a document can be made again and compared by its hash.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_CENTER, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import registerFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

FONT, LATIN = "STSong-Light", "Helvetica"
MARGIN = 20 * mm
WIDTH = A4[0] - 2 * MARGIN
GREY, LINE = HexColor(0xF0F0F0), HexColor(0x999999)
_LATIN = re.compile(r"[\x20-\x7e\xa1-\xff]+")


@dataclass(frozen=True)
class Heading:
    text: str


@dataclass(frozen=True)
class Words:
    """One paragraph."""

    text: str


@dataclass(frozen=True)
class Fields:
    """Pairs of label and value, two pairs in a row."""

    pairs: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Grid:
    """A table. `shares` are the columns' relative widths; those named in `amounts` (from 0) stand to the right."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    shares: Sequence[int]
    amounts: Sequence[int] = ()


Block = Heading | Words | Fields | Grid


def pdf(title: str, number: str, blocks: Sequence[Block]) -> bytes:
    """A4 pages under `title`, with `number` at the foot of each."""
    out = BytesIO()
    margins = dict.fromkeys(("leftMargin", "rightMargin", "topMargin", "bottomMargin"), MARGIN)
    document = SimpleDocTemplate(out, pagesize=A4, title=title, author="Zhipei", invariant=1, **margins)

    def foot(canvas: Any, _: Any) -> None:
        canvas.setFont(LATIN, 8)
        canvas.drawString(MARGIN, MARGIN / 2, number)
        canvas.setFont(FONT, 8)
        canvas.drawRightString(MARGIN + WIDTH, MARGIN / 2, f"第 {canvas.getPageNumber()} 页")

    flow: list[Flowable] = [_words(title, "title"), Spacer(0, 4 * mm)]
    for block in blocks:
        flow += [_drawn(block), Spacer(0, 2 * mm)]
    document.build(flow, onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()


def _drawn(block: Block) -> Flowable:
    if isinstance(block, Heading):
        return _words(block.text, "heading")
    if isinstance(block, Words):
        return _words(block.text, "words")
    return _fields(block) if isinstance(block, Fields) else _grid(block)


def _fields(block: Fields) -> Table:
    pairs = [*block.pairs, ("", "")] if len(block.pairs) % 2 else list(block.pairs)
    rows = [
        [_words(text, "words") for pair in pairs[first : first + 2] for text in pair]
        for first in range(0, len(pairs), 2)
    ]
    shaded = [("BACKGROUND", (column, 0), (column, -1), GREY) for column in (0, 2)]
    return _table(rows, (3, 7, 3, 7), shaded)


def _grid(block: Grid) -> Table:
    head = [_words(text, "head") for text in block.heads]
    styles = ["amount" if column in block.amounts else "words" for column in range(len(block.heads))]
    rows = [[_words(text, style) for text, style in zip(row, styles, strict=True)] for row in block.rows]
    return _table([head, *rows], block.shares, [("BACKGROUND", (0, 0), (-1, 0), GREY)], repeat=1)


def _table(rows: list[list[Paragraph]], shares: Sequence[int], style: list[Any], repeat: int = 0) -> Table:
    widths = [WIDTH * share / sum(shares) for share in shares]
    lines = [("GRID", (0, 0), (-1, -1), 0.5, LINE), ("VALIGN", (0, 0), (-1, -1), "MIDDLE")]
    return Table(rows, colWidths=widths, repeatRows=repeat, style=TableStyle([*style, *lines]))


def _words(text: str, style: str) -> Paragraph:
    markup = _LATIN.sub(lambda run: f'<font name="{LATIN}">{escape(run[0])}</font>', _drawable(text))
    return Paragraph(markup, _styles()[style])


def _drawable(text: str) -> str:
    """The font's encoding ends at U+FFFF: a rarer character is shown as 〓 with its code, never left away."""
    return "".join(char if ord(char) <= 0xFFFF else f"〓(U+{ord(char):X})" for char in text)


@cache
def _styles() -> dict[str, ParagraphStyle]:
    registerFont(UnicodeCIDFont(FONT))
    base: dict[str, Any] = {"fontName": FONT, "fontSize": 9, "leading": 13, "wordWrap": "CJK"}
    return {
        "title": ParagraphStyle("title", **base | {"fontSize": 18, "leading": 24, "alignment": TA_CENTER}),
        "heading": ParagraphStyle("heading", **base | {"fontSize": 11, "leading": 18}),
        "words": ParagraphStyle("words", **base),
        "head": ParagraphStyle("head", **base | {"alignment": TA_CENTER}),
        "amount": ParagraphStyle("amount", **base | {"alignment": TA_RIGHT}),
    }
