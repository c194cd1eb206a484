"""Words of the parties' books, causes of differences, who is to do what, and how long a row may be late."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

OK = "ok"
UNDONE = "undone"
OPEN = "open"
REVERSE = "reverse"

# A party's own words for the status of a row -> ours. A word that is missing stays as it is and so differs.
WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "hospital": {"settled": OK, "refunded": UNDONE, "void": UNDONE, "unsettled": OPEN},
    "platform": {OK: OK},
    "insurer": {"booked": OK, "void": UNDONE},
}

# A row missing at one party may appear on a neighbouring business date: so many days it is no error.
DAY_CUT_DAYS = 2
# A platform that stood still makes up for so many nights by itself.
MOST_MISSED_DAYS = 31
COLLECT_LIMIT = timedelta(minutes=20)
RETRY_S = 15.0
# Bills of funds are made from nine o'clock on and asked for at half past ten; WeChat Pay asks for half an hour between.
BILLS_LIMIT = timedelta(hours=6)
BILL_RETRY_S = 1800.0
# The exchange answers a command that is past its deadline a moment later; then this closes the collection.
DEADLINE_GRACE = timedelta(seconds=5)
MOST_TAMPERED = 100
MOST_MAILED = 10_000  # differences in a workbook that is mailed; the work list has all, and exports all
# A run that has not ended by then has lost its task: it must not stand in the way of the next one.
GIVEN_UP_AFTER = timedelta(hours=1)
ROLES = ("hospital", "platform", "insurer")
REPORT_SMS = "SMS_RECONCILIATION"

PARTIES, FUNDS = "parties", "funds"  # the two kinds of run
PARTIES_KINDS = ("presence", "amount", "status", "duplicate", "bad_row", "tampered")
FUNDS_KINDS = ("funds_presence", "funds_amount", "funds_status", "funds_bad_row")
# What is missing on one date may stand on the next: it is suspended before it is open.
MAY_WAIT = frozenset({"presence", "funds_presence"})

KINDS: Final[Mapping[str, str]] = {
    "presence": "缺少一方或两方",
    "amount": "金额不一致",
    "status": "状态不一致",
    "duplicate": "同一方重复",
    "bad_row": "无法识别的行",
    "tampered": "数据校验不符",
    "funds_presence": "资金账缺少一方",
    "funds_amount": "资金账金额不一致",
    "funds_status": "资金账状态不一致",
    "funds_bad_row": "账单中无法识别的行",
}
# cause -> (what it is, what to do next)
CAUSES: Final[Mapping[str, tuple[str, str]]] = {
    "missing_hospital": ("医院账中没有", "请医院核对该流水号对应的结算单是否已入账，补记后重新对账"),
    "missing_insurer": ("保险公司账中没有", "请保险公司核对理赔包是否已接收入账，补记后重新对账"),
    "only_platform": ("只有平台有", "核对理赔包是否送达、医院是否收到清算指令"),
    "missing_platform": ("平台账中没有，医院和保险公司都有", "查找平台该流水号的理赔记录，确认后补记"),
    "only_hospital": ("只有医院有", "请医院说明来源；如为窗口登记的理赔，补录或撤销"),
    "only_insurer": ("只有保险公司有", "请保险公司说明来源，确认后补录或冲销"),
    "amount_hospital": ("医院金额与另两方不同", "请医院核对个人负担金额，以结算单为准"),
    "amount_platform": ("平台金额与另两方不同", "核对平台结算单是否为最新版本"),
    "amount_insurer": ("保险公司金额与另两方不同", "请保险公司按理赔包明细重新汇总"),
    "amount_several": ("多方金额不同", "三方共同核对费用明细"),
    "status_hospital": ("医院状态与另两方不同", "确认医院是否已退费；已退费的发起撤回或追回"),
    "status_platform": ("平台状态与另两方不同", "核对平台理赔状态"),
    "status_insurer": ("保险公司状态与另两方不同", "确认保险公司是否已撤销该笔"),
    "status_several": ("多方状态不同", "三方共同核对该笔业务"),
    "duplicate": ("同一流水号出现多次", "请该方核对是否重复入账，删除多余的行"),
    "clearing_no": ("流水号不正确", "请该方更正流水号（19 位，末位为校验位）"),
    "amount_fen": ("金额无法识别", "请该方更正金额（以分为单位的整数）"),
    "status": ("状态缺失", "请该方补充状态"),
    "encoding": ("编码无法识别", "请该方用 UTF-8 重新导出"),
    "columns": ("列无法识别", "请该方按约定的格式重新导出"),
    "owner": ("属于另一机构的流水号", "请该方核对流水号，删除不属于自己的行"),
    "tampered": ("数据在程序之外被修改", "通知安全员，从备份核对并恢复"),
    "audit_chain": ("审计链不连续", "通知审计员，核对审计记录"),
    "ledger": ("台账不平", "通知财务，逐笔核对台账分录"),
    "bill_lacks": ("账单中没有这笔", "核对微信支付或银行是否真的收付；确认未收付的更正平台记录"),
    "platform_lacks": ("平台没有这笔", "查明来源：漏记的补记，不属于平台的联系商户号或账户的所有者"),
    "flow_lacks": ("交易账单有、资金账单没有", "联系微信支付核对该笔资金是否入账"),
    "books_lack": ("钱已付出，台账没有分录", "通知财务补记台账分录"),
    "bill_amount": ("账单金额与平台不同", "以账单为准核对，差额由财务更正"),
    "flow_amount": ("交易账单与资金账单金额不同", "联系微信支付核对"),
    "books_amount": ("台账金额与账单不同", "通知财务核对台账分录"),
    "bill_status": ("账单状态与平台不同", "查询微信支付或银行的最新状态，更正平台记录"),
    "not_readable": ("账单中有一行无法识别", "联系账单的出具方更正后重新对账"),
}
BLOCKED: Final[Mapping[str, str]] = {
    "ledger_not_ready": "对方的账目文件尚未生成",
    "not_arrived": "在规定时间内没有收到账目",
    "not_answered": "对方前置机没有答复",
    "refused": "对方拒绝提供账目",
    "malformed_answer": "对方的答复不符合约定",
    "not_reached": "无法连接对方系统",
    "no_endpoint": "没有配置对方的接口",
    "no_trailer": "账目文件没有结尾行，可能不完整",
    "declared": "账目的数量、金额或摘要与申报不符",
    "header": "账目文件的表头不正确",
    "unreadable": "账目文件缺失、为空或损坏",
    "partner_refused": "对方系统拒绝了请求",
    "bill_not_ready": "账单尚未生成",
    "no_merchant": "没有配置商户号",
}
_MISSING = {
    "110": "missing_insurer",
    "101": "missing_platform",
    "011": "missing_hospital",
    "100": "only_hospital",
    "010": "only_platform",
    "001": "only_insurer",
}


# What people read in a report; a word of a party's own that is not listed is shown as it came.
SCOPE_NAMES: Final[Mapping[str, str]] = {
    "hospital_platform": "医院—平台",
    "platform_insurer": "平台—保险公司",
    "three_party": "三方",
}
STATUS_NAMES: Final[Mapping[str, str]] = {OK: "正常", UNDONE: "已撤销", OPEN: "未完成"}
HANDLING_NAMES: Final[Mapping[str, str]] = {
    "open": "待处理",
    "suspended": "待次日核对",
    "assigned": "处理中",
    "proposed": "待复核",
    "resolved": "已解决",
    "cleared": "已消除",
}


def meaning(found_set: str) -> str:
    """A set's name in words: "110" is 保险公司账中没有."""
    return "三方都有" if found_set == "111" else CAUSES[_MISSING[found_set]][0]


def status_name(status: str | None) -> str:
    """A row's status in words; a reverse row is a correction (冲正)."""
    if status is None:
        return ""
    kind, _, plain = status.rpartition(":")
    name = STATUS_NAMES.get(plain, plain)
    return f"冲正：{name}" if kind == REVERSE else STATUS_NAMES.get(status, status)


def presence_cause(found_set: str) -> str:
    return _MISSING[found_set]


def responsible(cause: str) -> str:
    """Who has to take the suggested step: a role, or the bank side."""
    end = cause.rpartition("_")[2]
    if cause.startswith("flow_") or cause == "not_readable":
        return "bank"
    return end if end in ("hospital", "insurer") and not cause.startswith("bill_") else "platform"


def odd_one_out(what: str, values: Mapping[str, object]) -> str:
    """The cause `<what>_<role>` where one role stands against two that agree, else `<what>_several`.

    `values` holds what each role that has the row says.
    """
    for role, value in values.items():
        others = [other for name, other in values.items() if name != role]
        if len(others) == 2 and others[0] == others[1] != value:
            return f"{what}_{role}"
    return f"{what}_several"


def words(role: str) -> dict[str, str]:
    """A role's words for our statuses, also of reverse rows, whose status reads `reverse:<word>`."""
    table = dict(WORDS[role])
    return table | {f"{REVERSE}:{theirs}": f"{REVERSE}:{ours}" for theirs, ours in table.items()}


def their_words(role: str) -> dict[str, str]:
    """Our statuses, also of reverse rows, for which a role has one word and no second -> that word."""
    table = words(role)
    return {ours: theirs for theirs, ours in table.items() if list(table.values()).count(ours) == 1}


def complete(found_sets: list[str]) -> bool:
    """Whether rows of one number that were found on different dates make up all three parties, each exactly once."""
    parts = [int(name, 2) for name in found_sets]
    union = 0
    for part in parts:
        union |= part
    return union == sum(parts) == 0b111


def is_money(kind: str) -> bool:
    """Whether a second person has to agree to how a difference was resolved: wherever money may be missing or too much,
    or in another state than a party believes. A row that cannot be read stands for none yet."""
    return kind not in ("bad_row", "funds_bad_row")


def escaped(text: str) -> str:
    """A cell that a spreadsheet would take for a formula is led by an apostrophe."""
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
