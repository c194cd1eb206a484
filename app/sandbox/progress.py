"""`sandbox progress`: which steps of the integration have been seen to work for a party."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.exchange.service import Seen
from app.sandbox.messages import MESSAGES

BATCHES = {"catalogue": "号源目录", "record": "就诊与费用", "ledger": "对账明细"}


@dataclass(frozen=True)
class Step:
    """`told`: numbers, or what to do next."""

    name: str
    done: bool
    told: str


def steps(kind: str, found: Seen) -> list[Step]:
    """In the order of the guide."""
    return [*_keys(found), *(_hospital(found) if kind == "hospital" else _insurer(found))]


def _keys(found: Seen) -> Iterator[Step]:
    public = f"，其中 Ed25519 {found.public_keys} 把" if found.public_keys else ""
    yield Step("密钥", found.live_keys > 0, f"{found.live_keys} 把有效{public}")
    told = f"{found.signed} 条" if found.signed else "还没有收到签名正确的消息"
    yield Step("签名", found.signed > 0 or bool(found.fetched), told)


def _hospital(found: Seen) -> Iterator[Step]:
    for kind, name in BATCHES.items():
        arrived, applied = found.batches.get(kind, 0), found.applied.get(kind, 0)
        yield Step(f"批次 {kind}（{name}）", applied > 0, f"收到 {arrived} 批，入库 {applied} 批")
    bad = {name: number for name, number in found.verdicts.items() if name in ("refused", "waiting_parent")}
    yield Step("逐行结果", bool(found.verdicts) and not bad, _listed(found.verdicts) or "还没有处理过的行")
    yield Step("取指令", bool(found.fetched), _listed(found.fetched) or "还没有取过指令（/commands/poll）")
    unanswered = sorted(set(found.fetched) - set(found.answered))
    told = f"取走而未答复：{'、'.join(unanswered)}" if unanswered else _listed(found.answered)
    yield Step("答复指令", bool(found.answered) and not unanswered, told or "还没有答复过指令")


def _insurer(found: Seen) -> Iterator[Step]:
    yield Step("取变更", found.read_to > 0, f"共 {found.changes} 条，已确认到 {found.read_to}")
    for kind in MESSAGES:
        sent = found.messages.get(kind, 0)
        yield Step(f"消息 {kind}", sent > 0, f"收到 {sent} 条" if sent else "还没有收到")
    told = f"{found.refused} 条被退回，原因在变更 message.refused、claim.decision_refused 中" if found.refused else "无"
    yield Step("被退回的消息", found.refused == 0, told)
    yield Step("数据请求", found.requests > 0, f"提出 {found.requests} 条，已答复 {found.requests_answered} 条")


def _listed(numbers: Mapping[str, int]) -> str:
    return "，".join(f"{name} {number}" for name, number in sorted(numbers.items()))
