"""A run of funds as a letter and as one line for the phone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.core.letters import File, Letter
from app.core.money import yuan
from app.reconciliation import rules
from app.reconciliation.models import Difference
from app.reconciliation.report.figures import Figures
from app.reconciliation.report.listing import XLSX, listing
from app.reconciliation.report.writing import grouped_yuan, templates

VERDICTS = {"balanced": "与微信支付、银行一致", "differences": "有差异", "blocked": "未完成：有账单缺失或不符"}
MOVEMENTS = {"payment": "收款", "refund": "退款", "payout": "赔付", "return": "退汇"}
BILLS = {"trade": "交易账单", "basic": "基本账户资金账单", "operation": "运营账户资金账单", "bank": "银行对账单"}
MOST_IN_LETTER = 10  # the workbook has them all
HEAD = (
    *("编号", "类型", "账单金额", "账单状态", "平台金额", "平台状态", "台账金额", "原因", "建议", "处理状态"),
    "说明",
)


def letter(figures: Figures, counts: Mapping[str, Mapping[str, int]], to: Sequence[str]) -> Letter:
    """HTML with what both sides have of each kind of movement, and a workbook of what does not agree. `counts` is the
    platform's own view; a partner gets its own part without it."""
    subject = f"资金对账 {figures.day} {VERDICTS[figures.status]}"
    html = templates().get_template("funds_letter.html").render(
        subject=subject,
        figures=figures,
        counts=counts if figures.party_id is None else {},
        movements=MOVEMENTS,
        verdict=VERDICTS[figures.status],
        blocked=[party for party in figures.parties if party.blocked_code],
        arrived=[party for party in figures.parties if party.role in BILLS and party.row_count is not None],
        shown=figures.differences[:MOST_IN_LETTER],
        causes=rules.CAUSES,
        number=number,
        bills=BILLS,
        reasons=rules.BLOCKED,
        grouped=grouped_yuan,
    )  # fmt: skip
    content = listing((cells(row) for row in figures.differences), HEAD)
    return Letter(list(to), subject, html, [], [File(f"funds-{figures.day}.xlsx", XLSX, content)])


def number(row: Difference) -> str:
    """The number by which both sides know a movement; a line of a bill that could not be read has none."""
    return f"第 {row.line} 行" if row.line is not None else row.key.rpartition(":")[2]


def line(figures: Figures) -> dict[str, str]:
    """The parameters of the registered SMS template."""
    return {
        "day": figures.day.isoformat(),
        "result": VERDICTS[figures.status],
        "figures": f"资金差异{figures.differences_total}条",
    }


def cells(row: Difference) -> list[str]:
    """One difference as text, in the order of HEAD."""
    what, next_step = rules.CAUSES.get(row.cause, (row.cause, ""))
    amounts = ["" if fen is None else yuan(fen) for fen in (row.bank_fen, row.platform_fen, row.ledger_fen)]
    said = [amounts[0], row.bank_status or "", amounts[1], row.platform_status or "", amounts[2]]
    return [row.key, rules.KINDS[row.kind], *said, what, next_step, rules.HANDLING_NAMES[row.status], row.note or ""]
