"""From registering a visit to its trial: 2201, 2202, 2203, 2204, 2205, 2206, each only after the one before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mock_partners.medical_insurance.cards import Cards, person_no
from mock_partners.medical_insurance.refusal import Refusal, text
from mock_partners.medical_insurance.rule import Split, fen, line_scope, split, yuan
from mock_partners.memory import Table

Input = Mapping[str, Any]
Output = dict[str, Any]
CLASSES = ("甲", "乙", "丙")


class Treatments:
    """A treatment belongs to one visit of one hospital; its fees lie in batches, one per bill.

    `visits` leads from hospital and visit to the treatment.
    """

    def __init__(self, table: Table, visits: Table, cards: Cards) -> None:
        self._table, self._visits, self._cards = table, visits, cards

    def register(self, given: Input, hospital: str) -> Output:
        """2201; the same visit again is the same treatment."""
        data = given["data"]
        card, visit = self._cards.person(data), text(data, "ipt_otp_no")
        known = self._visits.get(f"{hospital}|{visit}")
        treatment = self._table[known["mdtrt_id"]] if known else None
        if treatment is None or treatment["state"] == "cancelled":
            treatment = self._new(hospital, visit, card["card_no"])
        if treatment["card_no"] != card["card_no"]:
            raise Refusal("PERSON")
        return {"data": {"mdtrt_id": treatment["mdtrt_id"], "psn_no": person_no(card["card_no"]), "ipt_otp_no": visit}}

    def cancel(self, given: Input, hospital: str) -> Output:
        """2202: only while nothing is settled."""
        treatment = self.of(given["data"], hospital)
        if any(batch["setl_id"] for batch in treatment["batches"].values()):
            raise Refusal("SETTLED")
        treatment["state"] = "cancelled"
        self.save(treatment)
        return {}

    def visit(self, given: Input, hospital: str) -> Output:
        """2203: the visit and its diagnoses."""
        treatment = self.of(given["mdtrtinfo"], hospital)
        for diagnosis in given["diseinfo"]:
            text(diagnosis, "diag_code")
        treatment["state"] = "visited"
        self.save(treatment)
        return {}

    def upload(self, given: Input, hospital: str) -> Output:
        """2204: fee lines of one or more batches of one treatment; all are taken or none."""
        lines = given["feedetail"]
        if not lines or len({line["mdtrt_id"] for line in lines}) != 1:
            raise Refusal("INPUT")
        treatment = self._visited(lines[0], hospital)
        batches = {no: {**batch, "fees": dict(batch["fees"])} for no, batch in treatment["batches"].items()}
        results = [_take(batches, line) for line in lines]
        treatment["batches"] = batches
        self.save(treatment)
        return {"result": results}

    def revoke(self, given: Input, hospital: str) -> Output:
        """2205: takes a batch's fees back; nothing to take back is no error."""
        data = given["data"]
        treatment = self._visited(data, hospital)
        batch = treatment["batches"].get(text(data, "chrg_bchno"))
        if batch and batch["setl_id"]:
            raise Refusal("SETTLED")
        if batch:
            del treatment["batches"][data["chrg_bchno"]]
            self.save(treatment)
        return {}

    def trial(self, given: Input, hospital: str) -> Output:
        """2206: what each side would pay; stores nothing but that it was asked."""
        data = given["data"]
        treatment, batch = self.batch(data, hospital)
        if batch["setl_id"]:
            raise Refusal("SETTLED")
        result = self.split(treatment, batch, data)
        batch["tried"] = True
        self.save(treatment)
        return {"setlinfo": {"mdtrt_id": treatment["mdtrt_id"], **result.as_yuan()}}

    def batch(self, data: Input, hospital: str) -> tuple[Output, Output]:
        """The treatment and the batch of uploaded fees that a request names; raises Refusal."""
        treatment = self._visited(data, hospital)
        batch = treatment["batches"].get(text(data, "chrg_bchno"))
        if batch is None:
            raise Refusal("ORDER")
        return treatment, batch

    def split(self, treatment: Output, batch: Output, data: Input) -> Split:
        balance_fen = self._cards.balance_fen(treatment["card_no"]) if data.get("acct_used_flag", "1") == "1" else 0
        result = split(((fee["class"], fee["amount_fen"]) for fee in batch["fees"].values()), balance_fen)
        if fen(data.get("medfee_sumamt")) != result.total_fen:
            raise Refusal("AMOUNT")
        return result

    def of(self, data: Input, hospital: str) -> Output:
        treatment = self._table.get(text(data, "mdtrt_id"))
        if treatment is None or treatment["hospital"] != hospital:
            raise Refusal("NOTFOUND")
        if treatment["state"] == "cancelled":
            raise Refusal("ORDER")
        return treatment

    def save(self, treatment: Output) -> None:
        self._table.put(treatment["mdtrt_id"], treatment)

    def _new(self, hospital: str, visit: str, card_no: str) -> Output:
        treatment: Output = {
            "mdtrt_id": f"{len(self._table) + 1:012d}",
            "hospital": hospital,
            "card_no": card_no,
            "state": "registered",
            "batches": {},
        }
        self.save(treatment)
        self._visits.put(f"{hospital}|{visit}", {"mdtrt_id": treatment["mdtrt_id"]})
        return treatment

    def _visited(self, data: Input, hospital: str) -> Output:
        treatment = self.of(data, hospital)
        if treatment["state"] != "visited":
            raise Refusal("ORDER")
        return treatment


def _take(batches: dict[str, Output], line: Input) -> Output:
    batch = batches.setdefault(text(line, "chrg_bchno"), {"fees": {}, "tried": False, "setl_id": None})
    number, insurance_class = text(line, "feedetl_sn"), line.get("chrgitm_lv") or "丙"
    if batch["setl_id"]:
        raise Refusal("SETTLED")
    if number in batch["fees"]:
        raise Refusal("DUPLICATE")
    if insurance_class not in CLASSES:
        raise Refusal("INPUT")
    amount_fen = fen(line.get("det_item_fee_sumamt"))
    batch["fees"][number] = {"class": insurance_class, "amount_fen": amount_fen}
    batch["tried"] = False
    own, first, in_scope = line_scope(insurance_class, amount_fen)
    return {
        "feedetl_sn": number,
        "det_item_fee_sumamt": yuan(amount_fen),
        "fulamt_ownpay_amt": yuan(own),
        "preselfpay_amt": yuan(first),
        "inscp_scp_amt": yuan(in_scope),
    }
