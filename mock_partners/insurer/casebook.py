"""What the insurer knows of its policies, cases and packages, and what each policy still has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from mock_partners.agenda import Agenda
from mock_partners.answers import Refused
from mock_partners.double import Double
from mock_partners.insurer.ledger import Ledger
from mock_partners.insurer.opening import Keyring
from mock_partners.insurer.policies import Policy, parse
from mock_partners.insurer.reasons import CUTS, DECLINES
from mock_partners.insurer.rules import Terms

Case = dict[str, Any]


class Teller(Protocol):
    """Who tells the platform what has become of a case."""

    def post(self, kind: str, subject: str, data: Mapping[str, Any]) -> str: ...


@dataclass
class Settings:
    """`delay_s`: how long the desk thinks. `recovery_outcome`: repaid or written_off, told at once of what must come
    back; empty tells nothing. `package_public_keys`: key id -> key. `ledger_fault`: see books.csv_file.
    `paid_elsewhere_fen`: what others have paid for each bill that it is asked about. `ledger_totals`: whether the
    ledger's totals are to be had; `totals_fault`: see books.totals."""

    delay_s: float = 0.2
    recovery_outcome: str = ""
    paid_elsewhere_fen: int = 0
    package_public_keys: dict[str, str] = field(default_factory=dict)
    ledger_not_ready: list[str] = field(default_factory=list)
    ledger_fault: str = ""
    ledger_totals: bool = False
    totals_fault: str = ""


class Casebook:
    """Cases by claim number. A case moves intake -> documents -> intake -> decided -> appealed -> decided -> accepted;
    withdrawn is possible until it is decided. `agenda` holds the cases that wait for the adjuster.
    """

    def __init__(self, double: Double, code: str, sender: Teller) -> None:
        self.double, self.code, self.sender = double, code, sender
        self.settings = Settings()
        self.keyring = Keyring()
        self.cases = double.table("cases")
        self.packages = double.table("packages")
        self.policies = double.table("policies")
        self.ledger = Ledger(double.table("books"), double.table("alterations"))
        self.agenda: Agenda

    def policy(self, policy_no: str) -> Policy:
        if policy_no not in self.policies:
            raise Refused(404, "policy_unknown", "保单不存在")
        return parse(self.policies[policy_no])

    def left(self, policy: Policy, *, but: str = "") -> Terms:
        """What the policy still has when the standing decisions of all its claims, less one, are counted."""
        standing = [
            case["decisions"][-1]
            for case in self.cases.values()
            if case["policy_no"] == policy.policy_no and case["claim_no"] != but and case["decisions"]
        ]
        deducted = sum(line["deductible_fen"] for d in standing for line in d["lines"])
        approved = sum(d["approved_fen"] for d in standing)
        return Terms(policy.ratio, max(0, policy.deductible_fen - deducted), max(0, policy.ceiling_fen - approved))

    def case(self, claim_no: str) -> Case:
        if claim_no not in self.cases:
            raise Refused(404, "claim_unknown", "理赔案件不存在")
        return self.cases[claim_no]

    def to_adjuster(self, case: Case) -> None:
        self.save(case)
        self.agenda.put(case["claim_no"], {}, in_s=self.settings.delay_s)

    def save(self, case: Case) -> None:
        self.cases.put(case["claim_no"], case)

    def now(self) -> str:
        return self.double.clock.now().isoformat(timespec="milliseconds")


def refused_lines(decision: Mapping[str, Any]) -> list[list[Any]]:
    """[clearing number, line number] of all lines that were not paid as the policy's arithmetic alone would have."""
    refusals = DECLINES.keys() | CUTS.keys()
    return sorted(
        [line["clearing_no"], line["line_no"]]
        for line in decision["lines"]
        if any(reason["code"] in refusals for reason in line["reasons"])
    )
