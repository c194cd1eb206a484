"""Why a line is not paid in full: stable codes, Chinese texts, and which of them refuse, cut or only explain."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

DECLINES = {
    "outside_cover": "就诊日期不在保险期间内",
    "waiting_period": "就诊发生在等待期内",
    "hospital_not_covered": "就诊医院不在约定的医院范围内",
    "excluded_diagnosis": "诊断属于责任免除范围",
    "excluded_code": "该项目属于责任免除范围",
    "self_funded": "丙类（自费）项目不在保障范围内",
    "medical_necessity": "现有病历不足以说明该项目的医疗必要性，可申请复核",
    "returns_exceed": "退费已冲减",
}
CUTS = {
    "ceiling": "超出剩余保额，核减 {yuan} 元",
    "paid_elsewhere": "其他保单已赔付，核减 {yuan} 元",
}
EXPLANATIONS = {
    "paid_by_fund": "医保基金已支付 {yuan} 元",
    "deductible": "扣除免赔额 {yuan} 元",
    "ratio": "按 {percent}% 比例赔付",
    "appeal_upheld": "经复核，维持原结论",
}
TEXTS = {**DECLINES, **CUTS, **EXPLANATIONS}


@dataclass(frozen=True)
class Reason:
    """`cap_fen`: by how much a cut lowered the line."""

    code: str
    text: str
    cap_fen: int = 0

    def as_json(self) -> dict[str, Any]:
        said: dict[str, Any] = {"code": self.code, "text": self.text}
        return said | {"cap_fen": self.cap_fen} if self.cap_fen else said

    @property
    def refuses(self) -> bool:
        """The line, or a part of it, was not paid although the policy's arithmetic alone would have."""
        return self.code in DECLINES or self.code in CUTS


def of(code: str, fen: int = 0, *, ratio: Decimal = Decimal(1)) -> Reason:
    """The reason with its text; `fen` and `ratio` fill the places that the text has for them."""
    yuan = f"{Decimal(fen) / 100:.2f}"
    percent = f"{(ratio * 100).normalize():f}"
    return Reason(code, TEXTS[code].format(yuan=yuan, percent=percent), fen if code in CUTS else 0)
