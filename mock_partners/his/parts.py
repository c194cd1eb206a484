"""One person's part in the day: policies, cases, and the claims that are meant to show them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from mock_partners.his.people import EarlierBill, Person

PARTIAL_CEILING_FEN = 10_000


@dataclass
class Cover:
    """A policy of one person at one insurer, without what the case makes of it."""

    insurer: str
    policy_no: str
    product_name: str
    product_filing_no: str
    valid_from: date
    valid_to: date
    extended_to: date | None = None

    def holds(self, day: date) -> bool:
        return self.valid_from <= day <= (self.extended_to or self.valid_to)


@dataclass
class Part:
    """One person's part in the day. `claims`: (policy number, bill keys); no bill keys means the visit of the day."""

    person: Person
    covers: list[Cover]
    cases: list[str] = field(default_factory=list)
    claims: list[tuple[Cover, list[EarlierBill]]] = field(default_factory=list)
    reversed_bill: EarlierBill | None = None

    @property
    def claimed_fen(self) -> int:
        return sum(bill.borne_fen for _, bills in self.claims for bill in bills)

    def as_json(self) -> dict[str, Any]:
        """As `GET /__mock__/people` shows it."""
        return {
            **self.person.as_json(),
            "cases": self.cases,
            "payee": "wechat" if "wechat_payee" in self.cases else "bank" if "bank_payee" in self.cases else None,
            "claims": [
                {"policy_no": cover.policy_no, "insurer": cover.insurer, "bill_keys": [b.bill_key for b in bills]}
                for cover, bills in self.claims
            ],
            "reversed_bill_key": self.reversed_bill.bill_key if self.reversed_bill else None,
            "policies": [self._policy(cover) for cover in self.covers],
        }

    def _policy(self, cover: Cover) -> dict[str, Any]:
        claimed = next((bills for claimed, bills in self.claims if claimed is cover), None)
        return {
            "insurer": cover.insurer,
            "policy_no": cover.policy_no,
            "product_name": cover.product_name,
            "product_filing_no": cover.product_filing_no,
            "valid_from": cover.valid_from.isoformat(),
            "valid_to": cover.valid_to.isoformat(),
            "extended_to": cover.extended_to.isoformat() if cover.extended_to else None,
            "insured": {
                "name": self.person.name,
                "document_type": self.person.document_type,
                "document_no": self.person.document_no,
                "birth_date": self.person.birth_date.isoformat(),
            },
            **self._terms(claimed),
        }

    def _terms(self, claimed: list[EarlierBill] | None) -> dict[str, Any]:
        """The policy's terms; the case shows on the policies that the person claims under."""
        terms: dict[str, Any] = {
            "deductible_fen": 0,
            "ratio": "0.90",
            "ceiling_fen": 50_000_000,
            "covers_self_funded": True,
            "asks_documents": False,
            "rejects": False,
            "doubts_largest": False,
        }
        if claimed is None:
            return terms
        if "partial_approval" in self.cases:
            whole = sum(bill.borne_fen for bill in claimed)
            terms |= {"ceiling_fen": max(whole // 2, 1) if claimed else PARTIAL_CEILING_FEN, "deductible_fen": 1_000}
        if "two_policies" in self.cases:
            terms["ratio"] = "0.60"
        terms["asks_documents"] = bool({"documents_asked", "withdrawal"} & set(self.cases))
        terms["rejects"] = "rejection" in self.cases
        terms["doubts_largest"] = "line_appeal" in self.cases
        return terms
