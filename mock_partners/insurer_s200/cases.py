"""Applications, what has become of them, their acceptance, and further documents: the claim's side of the dialect."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from mock_partners.answers import Refused
from mock_partners.books import date_of
from mock_partners.insurer import desk
from mock_partners.insurer.adjuster import SUPPLEMENT_DAYS
from mock_partners.insurer.casebook import Case, Casebook
from mock_partners.insurer.intake import new_case
from mock_partners.insurer.policies import SHANGHAI, parse
from mock_partners.insurer_s200.amounts import to_fen, to_yuan
from mock_partners.insurer_s200.envelope import Asked
from mock_partners.insurer_s200.settlements import explanation
from mock_partners.insurer_s200.visits import QUICK, Visit, Visits, as_person, parts

OUTCOMES = {"approved": "3", "partly": "4", "rejected": "5"}
STATES = {"intake": "1", "changing": "1", "documents": "2", "withdrawn": "6"}


class Cases:
    def __init__(self, book: Casebook, visits: Visits) -> None:
        self.book, self.visits = book, visits

    def policies(self, asked: Asked) -> dict[str, Any]:
        """S200: who is insured here, and under which policies."""
        who = as_person(asked.body["person"])
        mine = [policy for policy in map(parse, self.book.policies.values()) if policy.insured.is_same(who)]
        if not mine:
            raise Refused(404, "person_unknown", "没有查到被保险人")
        found = [
            {
                "policyNo": policy.policy_no,
                "productName": policy.product_name,
                "residualAmount": to_yuan(self.book.left(policy).ceiling_fen),
                "startDate": policy.valid_from.isoformat(),
                "endDate": policy.valid_to.isoformat(),
                "indemnitySigns": [QUICK],
            }
            for policy in sorted(mine, key=lambda policy: policy.policy_no)
        ]
        return {"insurers": [{"insurerCode": self.book.code, "policies": found}]}

    def apply(self, asked: Asked) -> dict[str, Any]:
        """S300: the first opens the case, each further one answers what has become of it."""
        body = asked.body
        known = self.book.cases.get(body["claimNo"])
        if "visits" not in body:
            return self._status(self.book.case(body["claimNo"]))
        if known is not None and known["package_version"] >= body["packageVersion"]:
            return self._status(known)
        return self._status(self._open(body, known))

    def accept(self, asked: Asked) -> dict[str, Any]:
        """S310."""
        if asked.body["accepted"] is not True:
            raise Refused(422, "malformed", "须确认接受")
        desk.accept(self.book, asked.body["claimNo"])
        return {}

    def records(self, asked: Asked) -> dict[str, Any]:
        """S340: of a visit, a file that comes with the claim, or one that was asked for; with the last one of these the
        case goes on."""
        if not asked.body.get("supplement"):
            return self.visits.add_records(asked)
        sent = [_document(record) for record in asked.body["records"]]
        if "claimNo" not in asked.body:
            return self.visits.add_papers(asked.business_id, sent)
        case = self.book.case(asked.body["claimNo"])
        case["documents"] = [*case["documents"], *sent]
        asked_for = {item["kind"] for item in self.book.policy(case["policy_no"]).documents_asked}
        if case["state"] == "documents" and asked_for <= {document["kind"] for document in case["documents"]}:
            case["state"] = "intake"
            self.book.to_adjuster(case)
        self.book.save(case)
        return {}

    def payout(self, asked: Asked) -> dict[str, Any]:
        """ZP01, an extension."""
        body = asked.body
        paid = {"payout_no": body["payoutNo"], "amount_fen": to_fen(body["amount"]), "status": body["status"]}
        desk.payout(self.book, body["claimNo"], {**paid, "at": body["time"]})
        return {}

    def recovery(self, asked: Asked) -> dict[str, Any]:
        """ZP02, an extension. There is one decision, and the dialect has no number for it."""
        body = asked.body
        made = self.book.case(body["claimNo"])["decisions"]
        lost = {
            "recovery_no": body["recoveryNo"],
            "clearing_no": body["originalNo"],
            "decision_no": made[-1]["decision_no"] if made else "",
            "reason": body["reason"],
            "status": body["status"],
            "lost_fen": to_fen(body["lostAmount"]),
            "share_fen": to_fen(body["shareAmount"]),
            "due_fen": to_fen(body["amount"]),
        }
        desk.recovery(self.book, body["claimNo"], lost)
        return {}

    def _open(self, body: Mapping[str, Any], old: Case | None) -> Case:
        visits = {number: self.visits.get(number) for number in body["visits"]}
        if not visits or any(visit["state"] != "settled" for visit in visits.values()):
            raise Refused(409, "visit_closed", "就诊档案尚未结算")
        if any(visit["claim_no"] not in (None, body["claimNo"]) for visit in visits.values()):
            raise Refused(409, "clearing_no_used", "就诊档案已用于其他理赔")
        papers = [paper for visit in visits.values() for paper in visit["papers"]]
        if {paper["sha256"] for paper in papers} != {named["sha256"] for named in body["documents"]}:
            raise Refused(422, "documents_incomplete", "随申请提交的材料不齐")
        given = {"claim_no": body["claimNo"], "policy_no": body["policyNo"]}
        case = old or new_case(self.book, given, date_of(next(iter(visits))))
        case.update(
            state="intake",
            package_version=body["packageVersion"],
            root=body["packageRoot"],
            papers=papers,
            remainders={row["visit"]: to_fen(row["maxAmount"]) for row in body["remainders"]},
        )
        self._book(case, visits)
        return case

    def _book(self, case: Case, visits: Mapping[str, Visit]) -> None:
        read = parts(visits)
        for number, visit in visits.items():
            self.visits.put(number, visit | {"claim_no": case["claim_no"]})
        self.book.packages.put(case["claim_no"], read)
        self.book.ledger.strike(case["claim_no"], visits)
        self.book.ledger.book(read["bills"], case["claim_no"], self.book.now())
        self.book.to_adjuster(case)

    def _status(self, case: Case) -> dict[str, Any]:
        status = STATES.get(case["state"])
        said = {"caseNo": case["case_no"], "caseStatus": status, "finalAmount": "", "materials": [], "visits": []}
        if status == "2":
            items = self.book.policy(case["policy_no"]).documents_asked
            return said | {"materials": [{"kind": item["kind"], "name": item["text"]} for item in items],
                           "materialsUntil": self._until(case)}  # fmt: skip
        if status is not None:
            return said
        return said | self._result(case)

    def _until(self, case: Case) -> str:
        if "documents_until" not in case:
            until = self.book.double.clock.now() + timedelta(days=SUPPLEMENT_DAYS)
            case["documents_until"] = until.astimezone(SHANGHAI).date().isoformat()
            self.book.save(case)
        return str(case["documents_until"])

    def _result(self, case: Case) -> dict[str, Any]:
        made, policy = case["decisions"][-1], self.book.policy(case["policy_no"])
        visits = []
        for bill in self.book.packages[case["claim_no"]]["bills"]:
            number = bill["clearing_no"]
            lines = [line for line in made["lines"] if line["clearing_no"] == number]
            settlement = self.visits.get(number)["settlement"]
            visits.append({"businessId": number, **explanation(self.book, policy, settlement, lines)})
        return {"caseStatus": OUTCOMES[made["outcome"]], "finalAmount": to_yuan(made["approved_fen"]), "visits": visits}


def _document(record: Mapping[str, Any]) -> dict[str, Any]:
    content = base64.b64decode(record["content"], validate=True)
    if hashlib.sha256(content).hexdigest() != record["sha256"]:
        raise Refused(422, "documents_incomplete", "材料与摘要不符")
    return {"kind": record["recordType"], "title": record["title"], "sha256": record["sha256"], "bytes": len(content)}
