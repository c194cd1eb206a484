"""A run's figures as a letter and as one line for the phone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from app.core.letters import File, Letter
from app.core.money import yuan
from app.reconciliation import rules
from app.reconciliation.engine.found import SETS
from app.reconciliation.report.chart import sets_png
from app.reconciliation.report.figures import Figures
from app.reconciliation.report.listing import XLSX
from app.reconciliation.report.workbook import xlsx

PICTURE = "sets"
VERDICTS = {"balanced": "三方一致", "differences": "有差异", "blocked": "未完成：有一方账目缺失或不符"}


@cache
def templates() -> Environment:
    folder = FileSystemLoader(Path(__file__).parent)
    return Environment(loader=folder, autoescape=True, trim_blocks=True)


def grouped_yuan(amount_fen: int) -> str:
    """1234567 -> '12,345.67'."""
    whole, _, fen = yuan(abs(amount_fen)).partition(".")
    return f"{'-' if amount_fen < 0 else ''}{int(whole):,}.{fen}"


def letter(figures: Figures, to: Sequence[str]) -> Letter:
    """HTML with totals, sets and a chart, and the workbook with every row that does not agree."""
    subject = f"三方对账 {figures.day} {_verdict(figures)}"
    html = templates().get_template("letter.html").render(
        subject=subject,
        figures=figures,
        verdict=_verdict(figures),
        blocked=[party for party in figures.parties if party.blocked_code],
        reasons=rules.BLOCKED,
        scopes=rules.SCOPE_NAMES,
        meanings={name: rules.meaning(name) for name in SETS},
        picture=PICTURE,
        grouped=grouped_yuan,
    )  # fmt: skip
    chart = File(PICTURE, "image/png", sets_png(figures.overall.sets))
    return Letter(list(to), subject, html, [chart], [File(f"reconciliation-{figures.day}.xlsx", XLSX, xlsx(figures))])


def _verdict(figures: Figures) -> str:
    return VERDICTS[figures.status] + (f"（仅{figures.hospital}）" if figures.hospital else "")


def line(figures: Figures) -> dict[str, str]:
    """The parameters of the registered SMS template; each is short."""
    total = figures.overall.totals["three_party"]
    return {
        "day": figures.day.isoformat(),
        "result": VERDICTS[figures.status] + ("（单家医院）" if figures.hospital else ""),
        "figures": f"共{total.count}笔，一致{total.success_count}笔，差异{total.failure_count}笔",
    }
