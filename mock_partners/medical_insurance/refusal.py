"""What the interface answers with infcode -1: a code and a Chinese text in `err_msg`, nothing of the input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TEXTS = {
    "RATE": "预结算请求超过限流",
    "ORDER": "交易顺序不正确",
    "AMOUNT": "金额不符",
    "PERSON": "参保信息不存在或不一致",
    "DUPLICATE": "重复上传或重复交易",
    "NOTFOUND": "记录不存在",
    "INPUT": "入参不正确",
    "SETTLED": "已结算或已冲销",
}


class Refusal(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.message = f"{code} {TEXTS[code]}"


def text(fields: Mapping[str, Any], name: str) -> str:
    """A field that must be a text that is not empty; raises Refusal."""
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise Refusal("INPUT")
    return value
