"""`sandbox signature`: why a signed request is not believed. Neither key nor body is repeated."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from app.exchange import service as exchange
from app.sandbox.words import Fault

NEEDED = ("zhipei-partner", "webhook-id", "webhook-timestamp", "webhook-signature")
_MESSAGE_ID = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)


def read_headers(text: str) -> dict[str, str]:
    """`name: value` a line, as curl shows them (`> ` in front is dropped); names in lower case."""
    pairs = (line.removeprefix("> ").partition(":") for line in text.splitlines())
    return {name.strip().lower(): value.strip() for name, colon, value in pairs if colon}


def faults(keys: list[str], headers: Mapping[str, str], body: str, now_s: float) -> list[Fault]:
    """`keys` are the live ones of the program that the headers name; none where nobody knows it."""
    found = [Fault(name, "缺少这个请求头") for name in NEEDED if not headers.get(name)]
    if found:
        return found
    found = list(_malformed(headers, now_s))
    if not keys:
        found.append(Fault("zhipei-partner", "没有这个程序，或它没有有效密钥"))
    elif not found and not _is_signed(keys, headers, body):
        found.append(Fault("webhook-signature", _why(keys, headers, body)))
    return found


def _malformed(headers: Mapping[str, str], now_s: float) -> Iterator[Fault]:
    if not _MESSAGE_ID.fullmatch(headers["webhook-id"]):
        yield Fault("webhook-id", "只能用字母、数字、_ 和 -，最长 128")
    stamp = headers["webhook-timestamp"]
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 11):
        yield Fault("webhook-timestamp", "应为 Unix 秒（不是毫秒，没有小数）")
    elif abs(now_s - int(stamp)) > exchange.TOLERANCE_S:
        side = "慢" if int(stamp) < now_s else "快"
        late = f"比平台{side} {abs(now_s - int(stamp)):.0f} 秒，最多 {exchange.TOLERANCE_S} 秒：请用 NTP 对时"
        yield Fault("webhook-timestamp", late)
    if not any(one.startswith(("v1,", "v1a,")) for one in headers["webhook-signature"].split(" ")):
        yield Fault("webhook-signature", "应为 v1,<base64>（共享密钥）或 v1a,<base64>（Ed25519）")


def _is_signed(keys: list[str], headers: Mapping[str, str], body: str) -> bool:
    return any(exchange.is_signed_with(key, headers, body) for key in keys)


def _why(keys: list[str], headers: Mapping[str, str], body: str) -> str:
    """The usual mistakes, tried one after the other."""
    others = {"没有末尾的换行": body.rstrip("\n"), "有末尾的换行": f"{body}\n", "空正文": ""}
    for name, text in others.items():
        if text != body and _is_signed(keys, headers, text):
            return f"签的正文与发送的正文不同：签的是{name}"
    versions = {one.partition(",")[0] for one in headers["webhook-signature"].split(" ")}
    wanted = {"v1a" if exchange.is_public(key) else "v1" for key in keys}
    if not versions & wanted:
        return f"有效密钥要的是 {'、'.join(sorted(wanted))} 签名"
    how = "密钥（whsec_ 之后要先 base64 解码）、被签的文字（消息号.时间.正文）和编码（UTF-8）"
    return f"与任何一把有效密钥都不符：检查{how}"
