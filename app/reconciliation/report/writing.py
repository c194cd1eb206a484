"""A run's figures as a letter and as one line for the phone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from app.core.letters import File, Letter
from app.core.money import yuan
from app.reconciliation import rules
from app.reconciliation.report.chart import sets_png
from app.reconciliation.report.figures import Figures
from app.reconciliation.report.workbook import xlsx

PICTURE = "sets"
VERDICTS = {"balanced": "三方一致", "differences": "有差异", "blocked": "未完成：有一方账目缺失或不符"}
SCOPE_NAMES = {"hospital_platform": "医院—平台", "platform_insurer": "平台—保险公司", "three_party": "三方"}
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@cache
def _templates() -> Environment:
    return Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)


def letter(figures: Figures, to: Sequence[str]) -> Letter:
    """HTML with totals, sets and a chart, and the workbook with every row that does not agree."""
    subject = f"三方对账 {figures.day} {VERDICTS[figures.status]}"
    html = _templates().get_template("letter.html").render(
        subject=subject,
        figures=figures,
        verdict=VERDICTS[figures.status],
        blocked=[party for party in figures.parties if party.blocked_code],
        reasons=rules.BLOCKED,
        scopes=SCOPE_NAMES,
        picture=PICTURE,
        yuan=yuan,
    )  # fmt: skip
    chart = File(PICTURE, "image/png", sets_png(figures.overall.sets))
    return Letter(list(to), subject, html, [chart], [File(f"reconciliation-{figures.day}.xlsx", _XLSX, xlsx(figures))])


def line(figures: Figures) -> dict[str, str]:
    """The parameters of the registered SMS template; each is short."""
    total = figures.overall.totals["three_party"]
    return {
        "day": figures.day.isoformat(),
        "result": VERDICTS[figures.status],
        "figures": f"共{total.count}笔，一致{total.success_count}笔，差异{total.failure_count}笔",
    }
