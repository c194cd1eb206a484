"""The typed fields of template and subscribe messages: `thing1`, `amount2`, … with the limits that WeChat sets.

Source: WeChat developer documentation, 订阅消息参数值内容限制说明.
"""

from __future__ import annotations

import re
from typing import Any

from mock_wechat.errors import AccountError

DATE = r"\d{4}(年|-|/|\.)\d{1,2}(月|-|/|\.)\d{1,2}日?"
CLOCK = r"\d{1,2}:\d{2}(:\d{2})?"
RULES = {
    "thing": re.compile(r".{1,20}", re.S),
    "short_thing": re.compile(r".{1,20}", re.S),
    "number": re.compile(r"-?\d{1,32}(\.\d+)?"),
    "letter": re.compile(r"[A-Za-z]{1,32}"),
    "symbol": re.compile(r"[^\w\s]{1,5}"),
    "character_string": re.compile(r"[\x20-\x7e]{1,32}"),
    "time": re.compile(rf"({DATE} ?)?{CLOCK}(~({DATE} ?)?{CLOCK})?|{DATE}(~{DATE})?"),
    "date": re.compile(rf"{DATE}( ?{CLOCK})?(~{DATE}( ?{CLOCK})?)?"),
    "amount": re.compile(r"[¥￥$€]?-?\d{1,10}(\.\d{1,2})?元?"),
    "phone_number": re.compile(r"[\d+\- ]{1,17}"),
    "car_number": re.compile(r"\S{1,8}"),
    "name": re.compile(r"[\u4e00-\u9fa5·*]{1,10}|[A-Za-z ·*.\-]{1,20}|[\u4e00-\u9fa5A-Za-z ·*.\-]{1,10}"),
    "phrase": re.compile(r"[\u4e00-\u9fa5]{1,5}"),
    "const": re.compile(r".{1,20}", re.S),
}
NAME = re.compile(r"([a-z_]+?)(\d+)")


def check_fields(data: Any, demanded: list[str]) -> dict[str, str]:
    """The texts of a message's `data`; 47003 names the first field that is missing or does not fit its type."""
    if not isinstance(data, dict):
        raise AccountError(47003, "data is not an object")
    for name in demanded:
        if name not in data:
            raise AccountError(47003, f"data.{name}.value is empty")
    texts = {name: _check(name, cell) for name, cell in data.items() if not demanded or name in demanded}
    if not texts:
        raise AccountError(47003, "data has no field of the template")
    return texts


def _check(name: str, cell: Any) -> str:
    value = cell.get("value") if isinstance(cell, dict) else None
    text = "" if value is None else str(value)
    kind = NAME.fullmatch(name)
    rule = RULES.get(kind[1]) if kind else None
    if rule is None:
        raise AccountError(47003, f"data.{name} is not a field of the template")
    if not text:
        raise AccountError(47003, f"data.{name}.value is empty")
    if not rule.fullmatch(text):
        raise AccountError(47003, f"data.{name}.value invalid")
    return text
