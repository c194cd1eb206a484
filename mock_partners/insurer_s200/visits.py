"""The files of visits: opened, filled with fees by the hundred, settled, cancelled. A file is known by our number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mock_partners.answers import Refused
from mock_partners.books import is_clearing_no
from mock_partners.insurer.casebook import Casebook
from mock_partners.insurer_s200.amounts import to_fen
from mock_partners.insurer_s200.envelope import Asked
from mock_partners.memory import Table

QUICK = "0"
FEES_A_CALL = 100
UNDECIDED = ("intake", "documents", "changing", "withdrawn")
Visit = dict[str, Any]


class Visits:
    """Files by clearing number. A file moves open -> settled -> open (settlement cancelled) -> cancelled; `claim_no` is
    set when a claim is applied for over it."""

    def __init__(self, book: Casebook, table: Table) -> None:
        self.book, self._table = book, table

    def get(self, number: str) -> Visit:
        if number not in self._table:
            raise Refused(404, "visit_unknown", "没有这个就诊档案")
        return self._table[number]

    def put(self, number: str, visit: Visit) -> None:
        self._table.put(number, visit)

    def open(self, asked: Asked) -> dict[str, Any]:
        """S210."""
        number = asked.business_id
        if not is_clearing_no(number):
            raise Refused(422, "clearing_no_invalid", "业务号无效")
        if number in self._table and self._table[number]["state"] != "cancelled":
            raise Refused(409, "visit_closed", "就诊档案已存在")
        self._check(asked.body)
        self.put(number, {"file": asked.body, "fees": {}, "records": [], "papers": [], "state": "open",
                          "settlement": None, "claim_no": None})  # fmt: skip
        return {"fileNo": f"{self.book.code}F{number}"}

    def change(self, asked: Asked) -> dict[str, Any]:
        """S230."""
        visit = self._open(asked.business_id)
        self._check(asked.body)
        self.put(asked.business_id, visit | {"file": asked.body, "records": [], "papers": []})
        return {}

    def cancel(self, asked: Asked) -> dict[str, Any]:
        """S240: the file, and all that was uploaded to it."""
        visit = self.get(asked.business_id)
        self.require_undecided(visit)
        emptied: Visit = {"fees": {}, "records": [], "papers": [], "settlement": None, "state": "cancelled"}
        self.put(asked.business_id, visit | emptied)
        return {}

    def add_fees(self, asked: Asked) -> dict[str, Any]:
        """S250."""
        visit, rows = self._open(asked.business_id), asked.body["fees"]
        if len(rows) > FEES_A_CALL:
            raise Refused(422, "too_many_rows", "一次最多上传 100 条费用明细")
        if len(rows) != asked.records or not rows:
            raise Refused(422, "malformed", "记录数与内容不符")
        fees = dict(visit["fees"])
        for row in rows:
            if (to_fen(row["amount"]) < 0) != row["quantity"].startswith("-"):
                raise Refused(422, "malformed", "退费明细的数量应为负数")
            if fees.setdefault(row["feeNo"], row) != row:
                raise Refused(409, "malformed", "明细序号重复")
        self.put(asked.business_id, visit | {"fees": fees})
        return {"fees": len(fees)}

    def revoke_fees(self, asked: Asked) -> dict[str, Any]:
        """S260."""
        self.put(asked.business_id, self._open(asked.business_id) | {"fees": {}})
        return {}

    def add_records(self, asked: Asked) -> dict[str, Any]:
        """S340 of a visit."""
        visit, rows = self.get(asked.business_id), asked.body["records"]
        if len(rows) != asked.records:
            raise Refused(422, "malformed", "记录数与内容不符")
        self.put(asked.business_id, visit | {"records": [*visit["records"], *rows]})
        return {}

    def add_papers(self, number: str, papers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """S340 of a visit, of what the patient sent with the claim that is not applied for yet."""
        visit = self.get(number)
        self.put(number, visit | {"papers": [*visit["papers"], *papers]})
        return {}

    def require_undecided(self, visit: Visit) -> None:
        case = self.book.cases.get(visit["claim_no"] or "")
        if case is not None and case["state"] not in UNDECIDED:
            raise Refused(409, "already_decided", "案件已有结论")

    def _open(self, number: str) -> Visit:
        visit = self.get(number)
        if visit["state"] != "open":
            raise Refused(409, "visit_closed", "就诊档案已结算或已取消")
        return visit

    def _check(self, file: Mapping[str, Any]) -> None:
        if file["indemnitySign"] != QUICK:
            raise Refused(422, "way_not_offered", "暂不支持直赔")
        if not self.book.policy(file["policyNo"]).insured.is_same(as_person(file["person"])):
            raise Refused(422, "person_unknown", "被保险人与保单不符")


def as_person(person: Mapping[str, str]) -> dict[str, str]:
    return {"name": person["name"], "document_no": person["certNo"], "birth_date": person.get("birthday", "")}


def parts(visits: Mapping[str, Visit]) -> dict[str, Any]:
    """What the rules of adjudication look at, out of the files by clearing number."""
    files = [visit["file"] for visit in visits.values()]
    return {
        "hospital": {"code": files[0]["hospitalCode"]},
        "visits": [{"visit_key": f["visitNo"], "started_on": f["startTime"][:10]} for f in files],
        "diagnoses": [{"visit_key": f["visitNo"], "code": d["code"]} for f in files for d in f["diagnoses"]],
        "bills": [
            {
                "clearing_no": number,
                "visit_key": visit["file"]["visitNo"],
                "fund_fen": to_fen(visit["settlement"]["fundAmount"]),
                "lines": list(_lines(visit["fees"].values())),
            }
            for number, visit in visits.items()
        ],
    }


def _lines(fees: Iterable[Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
    for fee in sorted(fees, key=lambda row: int(row["feeNo"])):
        yield {
            "line_no": int(fee["feeNo"]),
            "amount_fen": to_fen(fee["amount"]),
            "code": fee["code"],
            "insurance_class": fee["insuranceClass"] or None,
        }
