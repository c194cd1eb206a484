"""What the platform tells the insurer about payouts made from the insurer's own accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mock_partners.answers import Refused, missing
from mock_partners.insurer.lowering import lost_fen

# A later status of the same payout replaces an earlier one, never the other way round.
RANK = {"succeeded": 1, "failed": 1, "returned": 2}


def note_payout(case: dict[str, Any], body: Mapping[str, Any]) -> None:
    """Write a payout into the case; refuses unknown words, another amount under a known number, and overpayment."""
    if missing(body, ("payout_no", "amount_fen", "status", "at")) or body["status"] not in RANK:
        raise Refused(422, "malformed", "打款通知格式有误")
    known = case["payouts"].get(body["payout_no"])
    if known and known["amount_fen"] != body["amount_fen"]:
        raise Refused(409, "payout_differs", "同一打款号的金额不同")
    if known and RANK[known["status"]] >= RANK[body["status"]]:
        return
    approved_fen = (case["decisions"][-1]["approved_fen"] if case["decisions"] else 0) - lost_fen(case)
    payouts = {**case["payouts"], body["payout_no"]: {k: body[k] for k in ("amount_fen", "status", "at")}}
    if sum(p["amount_fen"] for p in payouts.values() if p["status"] == "succeeded") > approved_fen:
        raise Refused(409, "over_approved", "打款合计超过核定金额")
    case["payouts"] = payouts
