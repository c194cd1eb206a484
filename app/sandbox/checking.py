"""`sandbox check`: which kind of message a file holds, and what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.sandbox import batches, messages
from app.sandbox.words import Fault

Check = Callable[[str, Mapping[str, Any]], Iterator[Fault]]
# By a member that only this kind of message has.
_KINDS: tuple[tuple[str, str, Check], ...] = (
    ("rows", "batch", batches.faults),
    ("decision_no", "decision", lambda text, body: messages.decision(body)),
    ("answers", "answers", messages.answers),
    ("request_no", "request", messages.request),
    ("type", "message", messages.message),
)


@dataclass
class Report:
    """`faults` have to be mended; `hints` may be right."""

    kind: str
    faults: list[Fault] = field(default_factory=list)
    hints: list[Fault] = field(default_factory=list)


def check(text: str) -> Report:
    """Every mistake that can be seen in the message alone."""
    try:
        body = json.loads(text, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        return Report("unknown", [Fault("", f"不是 JSON：第 {error.lineno} 行第 {error.colno} 列")])
    except (ValueError, RecursionError):
        return Report("unknown", [Fault("", "NaN、Infinity 不是 JSON 的数，嵌套也不能过深")])
    if not isinstance(body, dict):
        return Report("unknown", [Fault("", "应为一个 JSON 对象 {…}")])
    if "\\u0000" in text:
        return Report("unknown", [Fault("", "内容中有不允许的字符 U+0000")])
    for member, kind, look in _KINDS:
        if member in body:
            hints = list(batches.hints(body)) if kind == "batch" else []
            return Report(kind, list(dict.fromkeys(look(text, body))), hints)
    known = "、".join(f"{kind}（有 {member}）" for member, kind, _ in _KINDS)
    return Report("unknown", [Fault("", f"认不出这是哪一种消息，可以检查的有：{known}")])


def _no_number(_: str) -> float:
    raise ValueError("not a number")
