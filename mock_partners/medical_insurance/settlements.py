"""Settling and undoing it: 2207, 2208, 2601, the accounts 3201 and 3202, and the extensions ZP01 and ZP02."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from mock_partners.medical_insurance.cards import Cards
from mock_partners.medical_insurance.refusal import Refusal, text
from mock_partners.medical_insurance.rule import Split, fen, same_split
from mock_partners.medical_insurance.treatments import Input, Output, Treatments
from mock_partners.memory import Table

TOTALS = ("medfee_sumamt", "fund_pay_sumamt", "acct_pay")


class Settlements:
    """Settlements by the interface's number (`setl_id`); `numbers` leads from our number and from msgid to it."""

    def __init__(self, table: Table, numbers: Table, treatments: Treatments, cards: Cards) -> None:
        self._table, self._numbers, self._treatments, self._cards = table, numbers, treatments, cards

    def settle(self, given: Input, hospital: str, msgid: str, on: str) -> Output:
        """2207; a second one is refused, under the same number too. Pays from the account, closes the batch."""
        data = given["data"]
        ours, treatment_id = text(data, "out_setl_no"), text(data, "mdtrt_id")
        known = self._numbers.get(ours)
        if known:
            raise Refusal("SETTLED" if self._row(known["setl_id"])["mdtrt_id"] == treatment_id else "DUPLICATE")
        treatment, batch = self._treatments.batch(data, hospital)
        if batch["setl_id"]:
            raise Refusal("SETTLED")
        if not batch["tried"]:
            raise Refusal("ORDER")
        result = self._treatments.split(treatment, batch, data)
        if not same_split(data, result):
            raise Refusal("AMOUNT")
        row = {
            "setl_id": hashlib.sha256(f"{treatment_id}|{ours}".encode()).hexdigest()[:24],
            "out_setl_no": ours,
            "mdtrt_id": treatment_id,
            "hospital": hospital,
            "chrg_bchno": data["chrg_bchno"],
            "card_no": treatment["card_no"],
            "split": vars(result),
            "on": on,
        }
        self._book(row, treatment, batch, msgid)
        return _setlinfo(row)

    def reverse(self, given: Input, hospital: str) -> Output:
        """2208; a second one is refused. The account gets its money back, the batch may be tried and settled anew."""
        data = given["data"]
        row = self._row(text(data, "setl_id"))
        if row["hospital"] != hospital or row["mdtrt_id"] != data.get("mdtrt_id", row["mdtrt_id"]):
            raise Refusal("NOTFOUND")
        if row["state"] == "reversed":
            raise Refusal("SETTLED")
        self._undo(row)
        return {"setlinfo": {"setl_id": row["setl_id"], "mdtrt_id": row["mdtrt_id"]}}

    def reverse_message(self, given: Input) -> Output:
        """2601: undoes what a message did whose answer nobody saw; nothing done is no error."""
        data = given["data"]
        if data.get("oinfno") != "2207":
            raise Refusal("INPUT")
        done = self._numbers.get(f"msgid:{text(data, 'omsgid')}")
        if done:
            self._undo(self._row(done["setl_id"]))
        return {}

    def find(self, given: Input) -> Output:
        """ZP02: what became of our number."""
        known = self._numbers.get(text(given["data"], "out_setl_no"))
        if known is None:
            return {"found": False}
        row = self._row(known["setl_id"])
        return {"found": True, "state": row["state"], **_setlinfo(row)["setlinfo"]}

    def tell_cash(self, given: Input) -> Output:
        """ZP01: the patient paid the self-pay part."""
        data = given["data"]
        row = self._row(text(data, "setl_id"))
        if row["state"] != "settled":
            raise Refusal("SETTLED")
        if fen(data.get("psn_cash_pay")) != row["split"]["cash_fen"]:
            raise Refusal("AMOUNT")
        if row["cash_payment_no"] not in (None, data.get("payment_no")):
            raise Refusal("DUPLICATE")
        self._table.put(row["setl_id"], {**row, "cash_payment_no": text(data, "payment_no")})
        return {}

    def totals(self, given: Input, hospital: str) -> Output:
        """3201: whether the hospital's totals of some days are ours."""
        data = given["data"]
        rows = self._between(data, hospital)
        ours = {name: sum(fen(_yuan(row)[name]) for row in rows) for name in TOTALS}
        agree = all(fen(data.get(name)) == amount for name, amount in ours.items())
        agree = agree and int(data["fixmedins_setl_cnt"]) == len(rows)
        return {"stmtinfo": {"stmt_rslt": "0" if agree else "1", "stmt_rslt_dscr": "平" if agree else "不平"}}

    def details(self, given: Input, hospital: str) -> Output:
        """3202: row by row, 0 agrees, 1 amounts differ, 2 only the hospital has it, 3 only we have it."""
        data = given["data"]
        ours = {row["setl_id"]: row for row in self._between(data, hospital)}
        results = {}
        for theirs in data["rows"]:
            row = ours.get(theirs["setl_id"])
            same = row is not None and all(fen(theirs.get(name)) == fen(_yuan(row)[name]) for name in TOTALS)
            results[theirs["setl_id"]] = "2" if row is None else "0" if same else "1"
        results |= {setl_id: "3" for setl_id in ours if setl_id not in results}
        return {"rows": [{"setl_id": setl_id, "stmt_rslt": result} for setl_id, result in results.items()]}

    def _book(self, row: Output, treatment: Output, batch: Output, msgid: str) -> None:
        self._cards.change(row["card_no"], -row["split"]["account_fen"])
        batch["setl_id"] = row["setl_id"]
        self._treatments.save(treatment)
        self._table.put(row["setl_id"], {**row, "state": "settled", "cash_payment_no": None})
        for number in (row["out_setl_no"], f"msgid:{msgid}"):
            self._numbers.put(number, {"setl_id": row["setl_id"]})

    def _undo(self, row: Output) -> None:
        if row["state"] == "reversed":
            return
        treatment, batch = self._treatments.batch(row, row["hospital"])
        batch.update(setl_id=None, tried=False)
        self._treatments.save(treatment)
        self._cards.change(row["card_no"], row["split"]["account_fen"])
        self._table.put(row["setl_id"], {**row, "state": "reversed"})

    def _row(self, setl_id: str) -> Output:
        if setl_id not in self._table:
            raise Refusal("NOTFOUND")
        return self._table[setl_id]

    def _between(self, data: Input, hospital: str) -> list[Output]:
        first, last = text(data, "stmt_begndate"), text(data, "stmt_enddate")
        mine = [row for row in self._table.values() if row["hospital"] == hospital and row["state"] == "settled"]
        return [row for row in mine if first <= row["on"] <= last]


def _yuan(row: Mapping[str, Any]) -> dict[str, str]:
    return Split(**row["split"]).as_yuan()


def _setlinfo(row: Mapping[str, Any]) -> Output:
    return {"setlinfo": {"setl_id": row["setl_id"], "mdtrt_id": row["mdtrt_id"], **_yuan(row)}}
