"""How the refusal letter looks. Reasons are numbered and stand once each under the table: there may be many of them, or
the same ones for many lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from app.claim.form import DOCUMENT_TYPES
from app.core.clock import SHANGHAI
from app.core.money import yuan
from app.core.paper import Block, Fields, Grid, Heading, Words, pdf

# By the decision's outcome.
TITLES = {"rejected": "拒赔通知书", "partly": "部分拒赔通知书"}
RESULTS = {"rejected": "不予赔付", "partly": "部分赔付，其余不予赔付"}
NO_REASON = "保险公司没有说明理由，您有权要求其书面说明"
OTHER_RIGHTS = (
    "您也可以向保险公司投诉，拨打银行保险消费者投诉维权热线 12378，或者依照保险合同的约定申请仲裁、向人民法院提起诉讼。"
)


def draw(letter: Mapping[str, Any]) -> bytes:
    """The PDF; the same letter gives the same bytes. `letter` is as app.claim.letter makes it."""
    blocks: list[Block] = [
        Words(f"{letter['insured_name']}："),
        Words(
            f"您于 {_day(letter['submitted_at'])} 提出的理赔申请，{letter['insurer_name']}已于"
            f" {_day(letter['decided_at'])} 作出核定，结论为：{RESULTS[letter['outcome']]}。"
            "依照《中华人民共和国保险法》第二十四条，现将不予赔付的项目和全部理由通知如下。"
        ),
        *_claim(letter),
        *_result(letter),
        *_unpaid([line for line in letter["lines"] if line["approved_fen"] < line["billed_fen"]]),
        Heading("五、您的权利"),
        Words(_rights(letter["appeal_until"]) + OTHER_RIGHTS),
        Words(f"{letter['insurer_name']}，{_day(letter['issued_at'])}（经直赔平台送达）"),
    ]
    return pdf(TITLES[letter["outcome"]], letter["claim_no"], blocks)


def _claim(letter: Mapping[str, Any]) -> list[Block]:
    kind = letter["document_type"]
    return [
        Heading("一、理赔申请"),
        Fields([
            ("理赔号", letter["claim_no"]),
            ("赔案号", letter["case_no"] or "—"),
            ("被保险人", letter["insured_name"]),
            (DOCUMENT_TYPES.get(kind, kind), letter["document_no"]),
            ("保险产品", letter["product_name"]),
            ("保单号", letter["policy_no"]),
            ("就诊医院", letter["hospital_name"]),
            ("核赔决定号", letter["decision_no"]),
        ]),
    ]  # fmt: skip


def _result(letter: Mapping[str, Any]) -> list[Block]:
    refused_fen = letter["asked_fen"] - letter["approved_fen"]
    return [
        Heading("二、核定结果"),
        Fields([
            ("申请金额", f"{yuan(letter['asked_fen'])} 元"),
            ("核定赔付", f"{yuan(letter['approved_fen'])} 元"),
            ("不予赔付", f"{yuan(refused_fen)} 元"),
            ("结论", RESULTS[letter["outcome"]]),
        ]),
    ]  # fmt: skip


def _unpaid(lines: Sequence[Mapping[str, Any]]) -> list[Block]:
    """The lines that are not paid in full, and why."""
    numbers: dict[str, int] = {}
    rows = []
    for line in lines:
        mine = [numbers.setdefault(text, len(numbers) + 1) for text in line["reasons"] or [NO_REASON]]
        unpaid_fen = line["billed_fen"] - line["approved_fen"]
        amounts = [yuan(fen) for fen in (line["billed_fen"], line["approved_fen"], unpaid_fen)]
        rows.append((line["bill_no"], line["name"], *amounts, "、".join(map(str, sorted(set(mine))))))
    heads = ("结算单号", "费用项目", "费用（元）", "赔付（元）", "未赔付（元）", "理由")
    return [
        Heading("三、未全额赔付的项目"),
        Grid(heads, rows, (5, 7, 3, 3, 3, 3), amounts=(2, 3, 4)),
        Heading("四、理由"),
        *(Words(f"{number}. {text}") for text, number in numbers.items()),
    ]


def _rights(appeal_until: datetime | None) -> str:
    if appeal_until is None:
        return "对核定结果有异议的，可以联系保险公司要求说明或复核。"
    until = f"{appeal_until.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    return f"对核定结果有异议的，可以在 {until}（北京时间）前在微信内申诉一次，可以只针对其中的项目。"


def _day(moment: datetime) -> str:
    local = moment.astimezone(SHANGHAI)
    return f"{local.year} 年 {local.month} 月 {local.day} 日"
