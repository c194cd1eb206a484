"""What is wrong with a message, in words and by place; nothing of what was sent is repeated."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

# pydantic's kinds of error; the braces are filled from the contract, never from the message.
_WORDS = {
    "missing": "缺少此项",
    "extra_forbidden": "不认识的项目",
    "int_type": "应为整数，不加引号，不带小数",
    "int_from_float": "应为整数，不加引号，不带小数",
    "bool_type": "应为 true 或 false",
    "string_type": "应为文字（加引号）",
    "list_type": "应为数组 […]",
    "dict_type": "应为对象 {{…}}",
    "model_type": "应为对象 {{…}}",
    "model_attributes_type": "应为对象 {{…}}",
    "string_too_short": "至少 {min_length} 个字符",
    "string_too_long": "最多 {max_length} 个字符",
    "string_pattern_mismatch": "格式应为 {pattern}",
    "greater_than_equal": "不得小于 {ge}",
    "less_than_equal": "不得大于 {le}",
    "too_short": "至少 {min_length} 项",
    "too_long": "最多 {max_length} 项",
    "literal_error": "只能是 {expected}",
    "timezone_aware": "时间必须带时区，例如 2026-11-21T10:00:00+08:00",
    "decimal_max_digits": "最多 {max_digits} 位数字",
    "decimal_max_places": "最多 {decimal_places} 位小数",
    "decimal_whole_digits": "整数部分最多 {whole_digits} 位",
    "finite_number": "不是有限的数",
}
_FAMILIES = {
    "datetime": "应为 ISO 8601 时间并带时区，例如 2026-11-21T10:00:00+08:00",
    "date": "应为日期 YYYY-MM-DD",
    "decimal": '应为十进制数，写成文字，例如 "12.500000"',
    "uuid": "编号格式不正确",
}
# A name that somebody else chose may be a name or a number of a person.
_PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}", re.ASCII)


@dataclass(frozen=True)
class Fault:
    """`place` as in `rows[3].data.total_fen`; empty for the whole."""

    place: str
    why: str

    def __str__(self) -> str:
        return f"{self.place}: {self.why}" if self.place else self.why


def faults_of(error: ValidationError, within: str = "") -> Iterator[Fault]:
    """Every mistake against a contract."""
    for item in error.errors(include_input=False, include_url=False):
        yield Fault(place(within, item["loc"]), _word(item["type"], item.get("ctx", {})))


def place(within: str, path: tuple[int | str, ...]) -> str:
    text = within
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            name = step if _PLAIN_NAME.fullmatch(step) else "（不认识的项目）"
            text += f".{name}" if text else name
    return text


def _word(kind: str, context: Mapping[str, Any]) -> str:
    if kind == "value_error":  # a validator of ours
        return str(context["error"])
    if kind in _WORDS:
        return _WORDS[kind].format_map(context)
    family = kind.partition("_")[0]
    return _FAMILIES.get(family, "格式不正确")
