"""What may be claimed, by whom it may be received, and what a decision must add up to. Amounts in fen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from app.core.money import yuan

MAX_BILLS = 3
MAX_LINES = 5_000  # fee lines of one claim: a decision names each of them, in one message
# Above WeChat's usual transfer limit only a bank card can be chosen; never split to stay under it.
WECHAT_LIMIT_FEN = 20_000_00
# From this on the identity document's image is on file before money is sent (anti-money-laundering rules).
IDENTITY_IMAGE_FROM_FEN = 10_000_00
ACCEPT_AFTER = timedelta(days=3)  # silence is agreement
DATA_WAIT = timedelta(days=5)  # how long the hospital's data are waited for
PURPOSE = "claim"  # of the consent
# What the insurer gets to see, in the words of the consent: before it is known whether it covers, and then.
IN_QUESTION = ("identity", "bills", "visits", "diagnoses")
IN_PACKAGE = ("identity", "claim", "bills", "e_bills", "visits", "diagnoses", "documents")
# A patient writes of the illness too. Without consent the insurer learns only what is objected to.
IN_APPEAL = ("claim", "documents")
AMENDED = "bill_amended"  # why a recovery was opened
EARLIER_CLAIM = "earlier_claim"  # what a claim waits for
WITHHELD = "（申请人已撤回向贵公司提供信息的同意，申诉理由不再提供）"

TEXTS = {
    "bill_unsettled": "结算单还没有结算",
    "bill_refused": "结算单不平，医院更正后才能理赔",
    "bill_zero": "个人负担为零，不能理赔",
    "bill_refunded": "结算单已退费",
    "bill_amended": "医院更正了结算单，原赔付高于更正后应赔的金额",
    "e_bill_missing": "电子票据还没有开出",
    "e_bill_reversed": "电子票据已红冲",
    "e_bill_unknown": "财政电子票据查验平台没有查到这张电子票据，请联系医院核对",
    "e_bill_check_code_wrong": "电子票据的校验码不正确，请联系医院更正",
    "e_bill_claimed": "这张电子票据已经用于另一张结算单的理赔",
    "e_bill_elsewhere": "另一家医院先登记了这张电子票据，需要由医院核对更正",
    "e_bill_authority_silent": "财政电子票据查验平台暂时没有答复，恢复后自动继续，您无需操作",
    "earlier_claim": "同一张结算单先向另一家保险公司申请了理赔，待其作出核定后自动继续，您无需操作",
    "bill_claimed": "这张结算单已经在同一保险公司申请理赔",
    "borne_used_up": "其他保单已经赔付了全部个人负担",
    "data_missing": "医院没有在期限内提供理赔所需的数据",
    "consent_withdrawn": "您已撤回向该保险公司提供信息的同意，理赔已终止",
    "package_too_large": "费用明细或病历资料超出线上理赔的上限，请直接联系保险公司申请",
    "package_refused": "保险公司未受理理赔资料，请联系客服",
    "not_insured": "没有查到有效保单",
    "policy_out_of_scope": "就诊不在保单的保障范围内",
}
# Behind what a claim waits for.
WAITS_FOR_HOSPITAL = f"，医院提供后自动继续；{DATA_WAIT.days} 天内没有提供的，理赔终止，可以重新申请"


def waits_for(code: str, since: datetime, until: datetime | None = None) -> dict[str, str]:
    """What a claim shows as keeping it from going on; `until` when it ends if the hospital does not mend it."""
    if until is None:
        return {"code": code, "text": TEXTS[code], "since": since.isoformat()}
    text = TEXTS[code] + WAITS_FOR_HOSPITAL
    return {"code": code, "text": text, "since": since.isoformat(), "until": until.isoformat()}


# What a clock is for.
CLOCK_TEXTS = {
    "decision": "保险公司应在{days}日内作出核定，补充材料期间不计",
    "prepay": "收到申请满{days}日仍未核定的，先予支付可以确定的部分",
    "payment": "达成赔付协议后{days}日内付款",
    "letter": "拒赔通知书应在核定后{days}日内送达",
}
# What is told of a recovery.
RECOVERY_TEXTS = {
    "waiting": "付款正在途中，到账后需要退回",
    "open": "已赔付的款项需要退回保险公司",
    "repaid": "理赔款已退回保险公司",
    "written_off": "保险公司不再要求退回",
    "void": "没有需要退回的款项",
}


def why_not_claimable(*, state: str, refused: str | None, borne_fen: int, e_bill_state: str | None) -> str | None:
    """The code of the first reason that a bill cannot be claimed now, None if it can (its e-bill may still come)."""
    if state == "refunded":
        return "bill_refunded"
    if state != "settled":
        return "bill_unsettled"
    if refused is not None:
        return "bill_refused"
    if borne_fen <= 0:
        return "bill_zero"
    return "e_bill_reversed" if e_bill_state == "reversed" else None


def carry_over(payable: Mapping[str, int], approved: Mapping[str, int]) -> dict[str, int] | None:
    """What was payable of each bill, under a new decision: the sum stays, though the insurer may now find it in another
    bill (a deductible or a ceiling falls elsewhere). None if the decision is below it."""
    kept = {no: min(fen, approved[no]) for no, fen in payable.items()}
    missing_fen = sum(payable.values()) - sum(kept.values())
    for no in kept:
        more_fen = min(missing_fen, approved[no] - kept[no])
        kept[no] += more_fen
        missing_fen -= more_fen
    return kept if missing_fen == 0 else None


def in_words(billed_fen: int, approved_fen: int, reasons: Iterable[str]) -> str:
    """One fee line's result in plain Chinese."""
    why = "；".join(reasons)
    head = f"费用 {yuan(billed_fen)} 元，赔付 {yuan(approved_fen)} 元"
    return f"{head}：{why}" if why else head


def recovery_in_words(reason: str, status: str, due_fen: int) -> str:
    """A recovery in plain Chinese."""
    amount = f"（{yuan(due_fen)} 元）" if due_fen else ""
    return f"{TEXTS[reason]}，{RECOVERY_TEXTS[status]}{amount}"
