"""The messages as data: what WeChat's template gets, which SMS template stands in for it.

WeChat's fields have types and lengths (thing: 20 characters, time: 24-hour form); an SMS names no diagnosis, no amount
and no person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from app.core.clock import SHANGHAI

THING_LENGTH = 20
# WeChat will never deliver these: not a follower, another app's user, no subscription.
FALL_BACK = frozenset({"43004", "40003", "43101"})


@dataclass(frozen=True)
class Template:
    """`title` and `text` fill WeChat's template; `{name}` stands for a parameter."""

    title: str
    text: str
    sms: str | None = None


TEMPLATES: Mapping[str, Template] = {
    "bound": Template("就诊人绑定成功", "可以预约挂号和申请理赔", "SMS_BOUND"),
    "binding_refused": Template("就诊人绑定未通过", "请核对信息后重新绑定", "SMS_BINDING_REFUSED"),
    "appointment_booked": Template("预约成功", "就诊时间 {time}", "SMS_BOOKED"),
    "appointment_refused": Template("预约未成功", "{reason}"),
    "appointment_cancelled": Template("预约已取消", "{reason}", "SMS_CANCELLED"),
    "registered": Template("建档完成", "现在可以进行医保试算", "SMS_REGISTERED"),
    "registration_refused": Template("建档未完成", "{reason}"),
    "trial_done": Template("医保试算完成", "请在有效时间内结算", "SMS_TRIAL_DONE"),
    "trial_refused": Template("医保试算未通过", "请到窗口咨询"),
    "settled": Template("医保结算成功", "可以申请商保理赔", "SMS_SETTLED"),
    "settlement_failed": Template("医保结算未成功", "已付的自付部分将退回", "SMS_SETTLEMENT_FAILED"),
    "refunded": Template("退款到账", "自付部分已原路退回", "SMS_REFUNDED"),
    "claim_submitted": Template("理赔申请已提交", "{no}", "SMS_CLAIM"),
    "claim_ineligible": Template("理赔申请未能受理", "{reason}", "SMS_CLAIM"),
    "documents_requested": Template("理赔需要补充材料", "请一次补齐", "SMS_CLAIM"),
    "claim_decided": Template("理赔已有结果", "{no}", "SMS_CLAIM"),
    "payout_confirm": Template("请确认收款", "理赔款待您确认，24小时内有效", "SMS_PAYOUT_CONFIRM"),
    "paid": Template("理赔款已到账", "{no}", "SMS_CLAIM"),
    "payout_failed": Template("理赔款未能到账", "请更换收款方式", "SMS_CLAIM"),
}
PHONE_CODE_SMS = "SMS_PHONE_CODE"
REPORT_SMS = "SMS_RECONCILIATION"


def wechat_data(template: str, params: Mapping[str, str], now: datetime) -> dict[str, str]:
    """The template's typed fields, cut to the lengths that WeChat accepts (47003 otherwise)."""
    found = TEMPLATES[template]
    return {
        "thing1": found.title[:THING_LENGTH],
        "thing2": found.text.format_map(params)[:THING_LENGTH],
        "time3": f"{now.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
    }


def in_words(template: str, params: Mapping[str, str]) -> tuple[str, str]:
    """(title, text) as the patient reads them in the list of notices."""
    found = TEMPLATES[template]
    return found.title, found.text.format_map(params)
