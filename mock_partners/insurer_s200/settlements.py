"""Trial and settlement of a visit, and the explanation that every amount of this dialect comes with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mock_partners.answers import Refused
from mock_partners.insurer import decision
from mock_partners.insurer.casebook import Casebook
from mock_partners.insurer.policies import Policy
from mock_partners.insurer.reasons import CUTS, DECLINES
from mock_partners.insurer_s200.amounts import to_fen, to_yuan
from mock_partners.insurer_s200.envelope import Asked
from mock_partners.insurer_s200.visits import Visit, Visits, parts

NOT_YET = "快赔案件须提交理赔申请，经审核后赔付"


class Settlements:
    def __init__(self, book: Casebook, visits: Visits) -> None:
        self.book, self.visits = book, visits

    def trial(self, asked: Asked) -> dict[str, Any]:
        """S290: what would be paid as things stand. Stores nothing."""
        visit = self._checked(asked, "open")
        policy = self.book.policy(visit["file"]["policyNo"])
        looked_at = parts({asked.business_id: visit | {"settlement": asked.body}})
        verdicts = decision.decide(decision.Question(policy, looked_at, {}, self.book.left(policy)))
        lines = [decision.line_json(verdict, str(policy.ratio)) for verdict in verdicts]
        return explanation(self.book, policy, asked.body, lines) | {"notImmediateReason": NOT_YET}

    def settle(self, asked: Asked) -> dict[str, Any]:
        """S291."""
        visit = self._checked(asked, "open")
        explained = self.trial(asked)
        self.visits.put(asked.business_id, visit | {"settlement": asked.body, "state": "settled"})
        return explained

    def cancel(self, asked: Asked) -> dict[str, Any]:
        """S270. With a `cancelNo` the bill leaves the books under that number, and its claim is withdrawn; without one
        the claim waits for what will be settled in its place."""
        visit = self.visits.get(asked.business_id)
        if visit["state"] != "settled":
            return {}
        self.visits.require_undecided(visit)
        case = self.book.cases.get(visit["claim_no"] or "")
        cancel_no = asked.body.get("cancelNo")
        if case is not None:
            if cancel_no:
                self.book.ledger.reverse(cancel_no, asked.business_id, self.book.now())
            case["state"] = "withdrawn" if cancel_no else "changing"
            self.book.agenda.cancel(case["claim_no"])
            self.book.save(case)
        self.visits.put(asked.business_id, visit | {"state": "open"})
        return {}

    def _checked(self, asked: Asked, state: str) -> Visit:
        visit, said = self.visits.get(asked.business_id), asked.body
        if visit["state"] != state:
            raise Refused(409, "visit_closed", "就诊档案已结算或已取消")
        total = sum(to_fen(fee["amount"]) for fee in visit["fees"].values())
        paid = sum(to_fen(said[name]) for name in ("fundAmount", "accountAmount", "selfPayAmount"))
        if not total == to_fen(said["totalAmount"]) == paid:
            raise Refused(422, "amounts_differ", "费用明细与结算金额不符")
        if not said["receipts"]:
            raise Refused(422, "malformed", "缺少电子票据")
        return visit


def explanation(
    book: Casebook, policy: Policy, settlement: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Who pays what of a bill, what the policy has paid and has left, and how it was worked out."""
    paid = sum(line["approved_fen"] for line in lines)
    total, fund = to_fen(settlement["totalAmount"]), to_fen(settlement["fundAmount"])
    left = book.left(policy)
    return {
        "commercialPay": to_yuan(paid),
        "fundPay": settlement["fundAmount"],
        "personalPay": to_yuan(total - fund - paid),
        "accumulatedAmount": to_yuan(policy.ceiling_fen - left.ceiling_fen),
        "residualAmount": to_yuan(left.ceiling_fen),
        "notImmediateReason": "",
        "calculation": _calculation(policy, lines),
    }


def _calculation(policy: Policy, lines: Sequence[Mapping[str, Any]]) -> str:
    covered, deducted, paid = (
        to_yuan(sum(line[name] for line in lines)) for name in ("covered_fen", "deductible_fen", "approved_fen")
    )
    percent = f"{(policy.ratio * 100).normalize():f}"
    refusals = DECLINES.keys() | CUTS.keys()
    texts = [reason["text"] for line in lines for reason in line["reasons"] if reason["code"] in refusals]
    return "；".join(
        [f"（责任内 {covered} 元－免赔额 {deducted} 元）×{percent}%，赔付 {paid} 元", *dict.fromkeys(texts)]
    )
