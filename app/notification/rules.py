"""The messages as data: what WeChat's template gets, which SMS template stands in for it, what is replied to a push.

WeChat's fields have types and lengths (thing: 20 characters, phrase: 5 Chinese characters, time: 24-hour form; WeChat
developer documentation, 订阅消息参数值内容限制说明); an SMS names no diagnosis, no amount and no person.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.clock import SHANGHAI

THING_LENGTH, STRING_LENGTH, PHRASE_LENGTH = 20, 32, 5
DEFAULT_FIELDS = ("thing1", "thing2", "time3")
# So long a push is remembered; WeChat repeats one for seconds, and an older one is refused by its timestamp.
PUSH_MEMORY = timedelta(days=2)
# TEMPLATESENDJOBFINISH may come before the answer to the message it is about.
JOB_PATIENCE = timedelta(minutes=2)
_FIELD = re.compile(r"([a-z_]+?)[0-9]*", re.ASCII)
_NUMBER = re.compile(r"[A-Z]*[0-9]+", re.ASCII)


class UnfitField(Exception):
    """A template demands a field for which a notice has nothing to say."""


@dataclass(frozen=True)
class Template:
    """`title` and `text` fill WeChat's template, `phrase` a field for a state; `{name}` stands for a parameter."""

    title: str
    text: str
    phrase: str
    sms: str | None = None


TEMPLATES: Mapping[str, Template] = {
    "bound": Template("就诊人绑定成功", "可以预约挂号和申请理赔", "已绑定", "SMS_BOUND"),
    "binding_refused": Template("就诊人绑定未通过", "请核对信息后重新绑定", "未通过", "SMS_BINDING_REFUSED"),
    "unbound": Template("就诊人绑定已解除", "请到医院窗口核实", "医院解除", "SMS_UNBOUND"),
    "appointment_booked": Template("预约成功", "时间 {time}", "已预约", "SMS_BOOKED"),
    "appointment_refused": Template("预约未成功", "{reason}", "未成功", "SMS_CANCELLED"),
    "appointment_cancelled": Template("预约已取消", "{reason}", "已取消", "SMS_CANCELLED"),
    "appointment_moved": Template("就诊时间已变更", "新的就诊时间 {time}", "已改期", "SMS_REMINDER"),
    "appointment_reminder": Template("就诊提醒", "就诊时间 {time}", "将就诊", "SMS_REMINDER"),
    "waiting_offered": Template("候补有号", "请在 {until} 前确认", "待确认", "SMS_WAITING"),
    "waiting_resumed": Template("候补名额已取消", "{reason}", "候补中", "SMS_WAITING"),
    "waiting_over": Template("候补已结束", "{reason}", "已结束", "SMS_WAITING"),
    "registered": Template("建档完成", "现在可以进行医保试算", "已建档", "SMS_REGISTERED"),
    "registration_refused": Template("建档未完成", "{reason}", "未完成", "SMS_REGISTRATION"),
    "trial_done": Template("医保试算完成", "请在有效时间内结算", "已试算", "SMS_TRIAL_DONE"),
    "trial_later": Template("医保试算时间推迟", "预计 {time}，位置保留", "已推迟", "SMS_TRIAL_LATER"),
    "trial_refused": Template("医保试算未成功", "请打开查看原因", "未成功", "SMS_TRIAL_DONE"),
    "settled": Template("医保结算成功", "可以申请商保理赔", "已结算", "SMS_SETTLED"),
    "settlement_delayed": Template("医保结算仍在核实", "确认未结算将自动退款", "处理中", "SMS_SETTLEMENT_DELAYED"),
    "settlement_failed": Template("医保结算未成功", "{reason}", "未成功", "SMS_SETTLEMENT_FAILED"),
    "settlement_unpaid": Template("医保结算已取消", "{reason}", "已取消", "SMS_SETTLEMENT_FAILED"),
    "payment_used": Template("支付成功", "{what}支付成功，无须再操作", "已支付", "SMS_PAYMENT"),
    "refunded": Template("退款到账", "{what}已原路退回", "已退款", "SMS_REFUNDED"),
    "refund_failed": Template("退款未到账", "请联系就诊医院办理退款", "未到账", "SMS_REFUND_FAILED"),
    "claim_submitted": Template("理赔申请已提交", "{no}", "已提交", "SMS_CLAIM"),
    "claim_ineligible": Template("理赔申请未能受理", "{reason}", "未受理", "SMS_CLAIM"),
    "documents_requested": Template("理赔需要补充材料", "请一次补齐", "待补充", "SMS_CLAIM"),
    "claim_decided": Template("理赔已有结果", "{no}", "已核赔", "SMS_CLAIM"),
    "refusal_letter": Template("拒赔通知书已送达", "{no}", "可下载", "SMS_CLAIM"),
    "claim_prepaid": Template("理赔款先行支付", "{no}", "先行支付", "SMS_CLAIM"),
    "claim_bill_lost": Template("理赔款停止支付", "{reason}", "已停止", "SMS_CLAIM"),
    "claim_lowered": Template("理赔金额已调整", "{reason}", "已调整", "SMS_CLAIM"),
    "recovery_opened": Template("理赔款需要退回", "{reason}，请联系保险公司", "追回中", "SMS_CLAIM"),
    "recovery_ended": Template("理赔款追回已结束", "{reason}", "已结束", "SMS_CLAIM"),
    "payout_confirm": Template("请确认收款", "理赔款待您确认，24小时内有效", "待确认", "SMS_PAYOUT_CONFIRM"),
    "paid": Template("理赔款已到账", "{no}", "已到账", "SMS_CLAIM"),
    "payout_failed": Template("理赔款未能到账", "请更换收款方式", "未到账", "SMS_CLAIM"),
}
# Whoever paid hears what became of their money, whoever they are bound to by then: these are about nobody else.
OF_THE_PAYER = frozenset({"payment_used", "refunded", "refund_failed"})
PHONE_CODE_SMS = "SMS_PHONE_CODE"
REPORT_SMS = "SMS_RECONCILIATION"

CLAIM_KEY = "claim"
WELCOME = "欢迎关注。绑定就诊人后可以预约挂号、医保试算结算，并申请商业保险理赔：{link}"
CLAIM = "商保理赔：确认就诊人，选择结算单和收款方式即可申请。{link}"
HELP = "请从菜单进入，或打开：{link}"
# What a click on a menu's button is answered; the name of the button counts as its key.
CLICKS: Mapping[str, str] = {CLAIM_KEY: CLAIM, "商保理赔": CLAIM}


def wechat_data(template: str, params: Mapping[str, str], now: datetime, fields: Sequence[str] = ()) -> dict[str, str]:
    """The template's typed fields, cut to the lengths that WeChat accepts (47003 otherwise).

    `fields` are those that the account's own template demands. UnfitField for a type that no notice can fill.
    """
    found = TEMPLATES[template]
    things = [found.title, found.text.format_map(params)]
    data = {}
    for field in fields or DEFAULT_FIELDS:
        kind = _FIELD.fullmatch(field)
        if kind is None:
            raise UnfitField(field)
        if kind[1] in ("thing", "short_thing"):
            data[field] = _cut(things.pop(0) if things else found.title)
        else:
            data[field] = _typed(kind[1], found, params, now)
    return data


def _typed(kind: str, template: Template, params: Mapping[str, str], now: datetime) -> str:
    local = now.astimezone(SHANGHAI)
    if kind in ("time", "date"):
        return f"{local:%Y-%m-%d %H:%M}"
    if kind in ("phrase", "const"):
        return template.phrase[:PHRASE_LENGTH]
    if kind == "character_string":
        return params.get("no", f"{local:%Y%m%d%H%M%S}")[:STRING_LENGTH]
    raise UnfitField(kind)


def _cut(text: str) -> str:
    """Words lose their end; a number loses its beginning, because numbers differ at their end."""
    line = " ".join(text.split())
    if len(line) <= THING_LENGTH:
        return line
    if _NUMBER.fullmatch(line):
        return f"…{line[1 - THING_LENGTH :]}"
    return f"{line[: THING_LENGTH - 1]}…"


def in_words(template: str, params: Mapping[str, str]) -> tuple[str, str]:
    """(title, text) as the patient reads them in the list of notices. KeyError for a parameter that is missing."""
    found = TEMPLATES[template]
    return found.title, found.text.format_map(params)


def reply(kind: str, event: str, event_key: str, link: str) -> str | None:
    """The text with which a push is answered at once; None where WeChat only wants to hear that it arrived."""
    if event == "subscribe":
        return WELCOME.format(link=link)
    if event == "CLICK":
        return CLICKS.get(event_key, HELP).format(link=link)
    return HELP.format(link=link) if kind == "text" else None


def menu(link: str) -> list[dict[str, str]]:
    """The public account's menu (自定义菜单) as WeChat takes it."""
    return [
        {"type": "view", "name": "预约就诊", "url": link},
        {"type": "click", "name": "商保理赔", "key": CLAIM_KEY},
    ]
