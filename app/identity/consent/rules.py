"""What a person agrees to, in words: the texts by version, and what each kind of data and each sharing is called.

Health data are sensitive personal information: their consent is separate, also from the one for everything else that
the same recipient gets (个人信息保护法 articles 14, 17, 23, 28, 29).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from app.core.clock import SHANGHAI

GENERAL, HEALTH = "general", "health"
# In the order in which people read them.
KINDS: Mapping[str, tuple[str, str]] = {
    "identity": (GENERAL, "姓名、证件类型和号码、出生日期、性别"),
    "claim": (GENERAL, "理赔申请书和收款信息"),
    "bills": (GENERAL, "结算单和费用明细"),
    "e_bills": (GENERAL, "电子票据"),
    "visits": (HEALTH, "就诊时间、科室和医生"),
    "diagnoses": (HEALTH, "诊断和手术"),
    "documents": (HEALTH, "病历和您提交的材料"),
    "reports": (HEALTH, "检查检验报告"),
}
PURPOSES = {
    "claim": "核验保单和审核理赔",
    "records": "查阅就诊资料",
    "medical_insurance": "医保结算",
}
# What each purpose needs as a rule, whatever class it is of.
_USUAL: Mapping[str, tuple[str, ...]] = {
    "claim": ("identity", "claim", "bills", "e_bills", "visits", "diagnoses", "documents", "reports"),
    "records": ("identity", "bills", "e_bills", "visits", "diagnoses", "documents", "reports"),
    "medical_insurance": ("identity", "bills", "visits", "diagnoses"),
}
# Each kind of sharing, by what it was for.
OCCASIONS = {
    "policies": "查询保单",
    "eligibility": "核验保单",
    "package": "提交理赔资料",
    "package_version": "提交更新的理赔资料和补充材料",
    "appeal": "提交申诉理由",
    "export": "再次提供理赔资料",
    "data_request": "答复保险公司的资料请求",
}

CURRENT_WORDING = "2026-11-22"
_END = (
    "提供方式：经平台以加密接口传输。您可以随时在“我的授权”中撤回；撤回后不再提供，撤回前已提供的不受影响。"
    "行使查阅、更正、删除等权利，可以直接联系接收方。"
)
# By version; one that somebody has agreed to is never changed.
WORDINGS: Mapping[str, Mapping[str, str]] = {
    "2026-11-22": {
        GENERAL: "本人同意将就诊人的以下信息提供给{recipient}（联系方式：{contact}），用于{purpose}：{kinds}。" + _END,
        HEALTH: "本人单独同意将就诊人的以下健康信息（敏感个人信息）提供给{recipient}（联系方式：{contact}），"
        "用于{purpose}：{kinds}。不同意不影响就医，但接收方将无法据此办理。" + _END,
    },
}


@dataclass(frozen=True)
class Recipient:
    """Who gets the data, and where a person reaches it about them."""

    name: str
    contact: str


def classes_of(kinds: Iterable[str]) -> set[str]:
    return {KINDS[kind][0] for kind in kinds}


def usual_scope(purpose: str, data_class: str) -> list[str]:
    """The kinds of data of a class that consent is asked for."""
    return [kind for kind in _USUAL[purpose] if KINDS[kind][0] == data_class]


def in_words(kinds: Collection[str]) -> str:
    return "；".join(text for kind, (_, text) in KINDS.items() if kind in kinds)


def statement(wording: str, data_class: str, recipient: Recipient, purpose: str, kinds: Collection[str]) -> str:
    """The text that a person agrees to. KeyError for a version that never was."""
    text = WORDINGS[wording][data_class]
    words = {"recipient": recipient.name, "contact": recipient.contact}
    return text.format(**words, purpose=PURPOSES[purpose], kinds=in_words(kinds))


@dataclass(frozen=True)
class Shared:
    """One sharing as its receipt tells it; `about_no` is the number that people know its cause by."""

    recipient_name: str
    occasion: str
    about_no: str
    what: Collection[str]
    shared_at: datetime


def receipt(shared: Shared) -> str:
    """What, with whom, when and why, in plain Chinese."""
    at = f"{shared.shared_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}（北京时间）"
    about = f"（理赔 {shared.about_no}）" if shared.about_no else ""
    return f"{at}，为{OCCASIONS[shared.occasion]}{about}，向{shared.recipient_name}提供了：{in_words(shared.what)}。"
