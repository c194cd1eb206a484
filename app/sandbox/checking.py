"""`sandbox check`: which kind of message a file holds, and what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.core.strict_json import read_json
from app.sandbox import batches, messages
from app.sandbox.words import Fault

NOT_STRICT = "不是严格的 JSON：NaN、Infinity 或过大的数、不成对的代理字符、字符 U+0000、过深的嵌套都不接受"
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
        json.loads(text)
        body = read_json(text)
    except json.JSONDecodeError as error:
        return Report("unknown", [Fault("", f"不是 JSON：第 {error.lineno} 行第 {error.colno} 列")])
    except (ValueError, RecursionError):
        return Report("unknown", [Fault("", NOT_STRICT)])
    if not isinstance(body, dict):
        return Report("unknown", [Fault("", "应为一个 JSON 对象 {…}")])
    for member, kind, look in _KINDS:
        if member in body:
            hints = list(batches.hints(body)) if kind == "batch" else []
            return Report(kind, list(dict.fromkeys(look(text, body))), hints)
    known = "、".join(f"{kind}（有 {member}）" for member, kind, _ in _KINDS)
    return Report("unknown", [Fault("", f"认不出这是哪一种消息，可以检查的有：{known}")])
