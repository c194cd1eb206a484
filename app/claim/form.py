"""The application form (理赔申请书): what the patient declares, as data and as a PDF that shows the same.

The patient signs by submitting inside WeChat, under two consents that name wording and time; the digest of the form's
data is printed on it, its file's hash stands in the package's manifest, and that is what we sign.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from app.claim.package import canonical
from app.core.clock import SHANGHAI
from app.core.money import yuan
from app.core.paper import Block, Fields, Grid, Heading, Words, pdf

TITLE = "理赔申请书"
STATEMENT = (
    "本人申请保险理赔，确认以上内容属实；同意将本申请所列身份、就诊、诊断、费用、票据和病历资料提供给上述保险公司，"
    "仅用于本次理赔。本申请由申请人在微信内核验身份后确认提交，以此代替手写签名。"
)
DOCUMENT_TYPES = {
    "id_card": "居民身份证",
    "hmt_residence_permit": "港澳台居民居住证",
    "foreign_permanent_residence": "外国人永久居留身份证",
    "passport": "护照",
    "birth_certificate": "出生医学证明",
}
SEXES = {"male": "男", "female": "女"}
PAYEES = {"wechat": "微信零钱", "bank": "银行卡"}
CONSENTS = {"general": "信息提供授权", "health": "健康信息单独授权"}
RELATIONS = {"self": "被保险人本人", "guardian": "监护人", "proxy": "受托人"}


def application_form(form: Mapping[str, Any]) -> dict[str, Any]:
    """The package's part: the form's data with their digest, and the file with its hash. `form` is as `content` makes
    it: plain values by group."""
    digest = sha256(canonical(form)).hexdigest()
    content = draw(form, digest)
    return {
        "form": form,
        "digest": digest,
        "title": TITLE,
        "media_type": "application/pdf",
        "sha256": sha256(content).hexdigest(),
        "content_base64": b64encode(content).decode(),
    }


def draw(form: Mapping[str, Any], digest: str) -> bytes:
    """The PDF; the same form gives the same bytes."""
    blocks: list[Block] = [
        Fields([("申请号", form["claim_no"]), ("申请时间", _moment(form["submitted_at"]))]),
        *_insured(form["insured"]),
        *_policy(form),
        *_bills(form["bills"], form["asked_fen"]),
        *_payee(form["payee"]),
        Heading("五、声明与签署"),
        Words(form["statement"]),
        Fields([
            *((CONSENTS[one["data_class"]], f"{_moment(one['given_at'])}，文本 {one['wording']}")
              for one in form["consent"]["given"]),
            ("签署方式", "微信内电子确认"),
            ("签署人", form["consent"]["signed_by"]),
        ]),
        Words(f"表单摘要（SHA-256）：{digest}"),
    ]  # fmt: skip
    return pdf(TITLE, form["claim_no"], blocks)


def _insured(insured: Mapping[str, Any]) -> list[Block]:
    return [
        Heading("一、被保险人"),
        Fields([
            ("姓名", insured["name"]),
            ("证件类型", DOCUMENT_TYPES.get(insured["document_type"], insured["document_type"])),
            ("证件号码", insured["document_no"]),
            ("出生日期", _day(insured["birth_date"])),
            ("性别", SEXES.get(insured["sex"], insured["sex"])),
        ]),
    ]  # fmt: skip


def _policy(form: Mapping[str, Any]) -> list[Block]:
    return [
        Heading("二、保单与就诊"),
        Fields([
            ("保险公司", form["insurer_name"]),
            ("保险产品", form["policy"]["product_name"]),
            ("保单号", form["policy"]["policy_no"]),
            ("就诊医院", form["hospital_name"]),
        ]),
    ]  # fmt: skip


def _bills(bills: Sequence[Mapping[str, Any]], asked_fen: int) -> list[Block]:
    rows = [
        (bill["bill_no"], "、".join(bill["e_bills"]), _day(bill["started_on"]), bill["department_name"],
         yuan(bill["total_fen"]), yuan(bill["borne_fen"]))
        for bill in bills
    ]  # fmt: skip
    heads = ("结算单号", "电子票据号码", "就诊日期", "科室", "总额（元）", "个人负担（元）")
    return [
        Heading("三、费用"),
        Grid(heads, rows, (5, 5, 4, 4, 4, 4), amounts=(4, 5)),
        Words(f"申请金额：{yuan(asked_fen)} 元"),
    ]


def _payee(payee: Mapping[str, Any]) -> list[Block]:
    return [
        Heading("四、收款"),
        Fields([
            ("收款人", payee["name"]),
            ("与被保人关系", RELATIONS.get(payee["relation"], payee["relation"])),
            ("收款方式", PAYEES[payee["kind"]]),
            ("账号", payee["account_mask"] or "—"),
        ]),
    ]  # fmt: skip


def _moment(text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}（北京时间）"


def _day(text: str) -> str:
    return f"{date.fromisoformat(text):%Y-%m-%d}"
