"""What the insurer's own decisions allow the platform to say of a bill that was amended afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mock_partners.answers import Refused
from mock_partners.insurer.casebook import Case, Casebook

RECOVERY_FIELDS = (
    "recovery_no", "clearing_no", "decision_no", "reason", "status", "lost_fen", "share_fen", "due_fen",
)  # fmt: skip


def check_lowered(book: Casebook, case: Case, body: Mapping[str, Any]) -> None:
    """A bill that was amended stays in the books. A decision loses no more of it, all amendments together, than it had
    approved for it; and a recovery keeps its number, its bill and what it is about."""
    if not 0 <= body["due_fen"] <= body["share_fen"] <= body["lost_fen"] or not body["lost_fen"]:
        raise Refused(422, "malformed", "追回金额有误")
    if book.ledger.claim_of(body["recovery_no"]) is not None:
        raise Refused(422, "clearing_no_used", "追回编号与账上的清算流水号相同")
    known = case.get("recoveries", {})
    same = known.get(body["recovery_no"])
    if same and any(same[name] != body[name] for name in ("clearing_no", "decision_no", "lost_fen", "share_fen")):
        raise Refused(409, "recovery_differs", "同一追回编号的内容不同")
    others = [one for number, one in known.items() if number != body["recovery_no"]]
    if sum(_lost(others, body)) + body["lost_fen"] > _approved_fen(case, body):
        raise Refused(409, "over_approved", "调减合计超过核定金额")


def lost_fen(case: Case) -> int:
    """What of the standing decision may not be paid any more; what was on its way then may still arrive."""
    standing = case["decisions"][-1]["decision_no"] if case["decisions"] else None
    return sum(
        one["lost_fen"] - (one["share_fen"] if one["status"] == "waiting" else one["due_fen"])
        for one in case.get("recoveries", {}).values()
        if one["reason"] == "bill_amended" and one["decision_no"] == standing
    )


def _lost(recoveries: Iterable[Mapping[str, Any]], about: Mapping[str, Any]) -> Iterable[int]:
    names = ("reason", "clearing_no", "decision_no")
    return (one["lost_fen"] for one in recoveries if all(one[name] == about[name] for name in names))


def _approved_fen(case: Case, about: Mapping[str, Any]) -> int:
    """By the decision that is lowered; nothing by one that the insurer has not made."""
    lines = [line for one in case["decisions"] if one["decision_no"] == about["decision_no"] for line in one["lines"]]
    return sum(line["approved_fen"] for line in lines if line["clearing_no"] == about["clearing_no"])
