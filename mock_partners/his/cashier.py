"""The hospital's cashier: settlements that the platform reports, their reversal, and e-bills. Calls may come twice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mock_partners.his import visits
from mock_partners.his.chart import Chart
from mock_partners.his.numbers import to_yuan
from mock_partners.his.records import SHANGHAI, Bill, Db, Payment, Records, Refused

Body = Mapping[str, Any]


class Cashier:
    """One hospital's cashier over its HIS; keeps the book that the hospital's ledger is read from."""

    def __init__(self, records: Records) -> None:
        self.records = records

    def settle(self, body: Body) -> None:
        """The platform's notice that a bill is paid: book it, write the cashier's entry, issue the e-bill."""
        payment = Payment(
            body["fund_fen"], body["account_fen"], body["self_pay_fen"], datetime.fromisoformat(body["paid_at"])
        )
        amounts = [body["bill_key"], payment.fund_fen, payment.account_fen, payment.self_pay_fen]
        with self.records.transaction() as db:
            row = db.execute("SELECT nr FROM sf_jstz WHERE jsbh = %s", (body["settlement_no"],)).fetchone()
            if row is not None:
                if json.loads(row["nr"]) != amounts:
                    raise Refused("settlement_no_reused", "结算编号已用于另一笔结算")
                return
            bill = self._unsettled(db, body["bill_key"], payment)
            self.records.mark_settled(db, bill, payment)
            db.execute(
                "INSERT INTO sf_jstz (jsbh, jsdh, nr) VALUES (%s, %s, %s)",
                (body["settlement_no"], bill.bill_key, json.dumps(amounts)),
            )
            self._book(db, bill, payment)

    def pay_in_cash(self, bill_key: str, paid_at: datetime) -> None:
        """The patient pays the whole bill at the counter; the platform has no part in it."""
        with self.records.transaction() as db:
            bill = self.records.bill(db, bill_key)
            payment = Payment(0, 0, bill.total_fen if bill else 0, paid_at)
            bill = self._unsettled(db, bill_key, payment)
            self.records.mark_settled(db, bill, payment)
            self._book(db, bill, payment)

    def _unsettled(self, db: Db, bill_key: str, payment: Payment) -> Bill:
        bill = self.records.bill(db, bill_key)
        if bill is None:
            raise Refused("bill_unknown", "没有这张结算单", 422)
        if bill.status != "unsettled":
            raise Refused("already_settled", "该结算单已结算")
        if payment.total_fen != bill.total_fen:
            raise Refused("amounts_do_not_add_up", "各方支付金额之和与结算单总额不一致", 422)
        return bill

    def _book(self, db: Db, bill: Bill, payment: Payment) -> None:
        local = payment.paid_at.astimezone(SHANGHAI).replace(tzinfo=None)
        db.execute(
            "INSERT INTO sf_szz (jsdh, brid, grzf, zt, jzsj) VALUES (%s, %s, %s, '1', %s)",
            (bill.bill_key, bill.patient_no, to_yuan(payment.account_fen + payment.self_pay_fen), local),
        )
        chart = Chart()
        chart.add("sf_dzpj", **visits.e_bill(bill.bill_key, bill.patient_no, to_yuan(bill.total_fen), local))
        chart.insert_into(db)

    def reverse_settlement(self, settlement_no: str) -> None:
        """Pay back: bill and cashier's entry say refunded, the e-bill is reversed. Unknown numbers change nothing."""
        with self.records.transaction() as db:
            row = db.execute(
                "UPDATE sf_jstz SET zt = '2' WHERE jsbh = %s AND zt = '1' RETURNING jsdh", (settlement_no,)
            ).fetchone()
            bill = self.records.bill(db, row["jsdh"]) if row else None
            if bill is None:
                return
            self.records.mark_refunded(db, bill)
            db.execute("UPDATE sf_szz SET zt = '2' WHERE jsdh = %s", (bill.bill_key,))
            self._reverse_e_bills(db, bill.bill_key)

    def reverse_e_bill(self, bill_key: str) -> int:
        """红冲 the bill's e-bill; the number of e-bills reversed, 0 if it was done before."""
        with self.records.transaction() as db:
            return self._reverse_e_bills(db, bill_key)

    def _reverse_e_bills(self, db: Db, bill_key: str) -> int:
        return db.execute(
            "UPDATE sf_dzpj SET zt = '2', xgsj = DEFAULT WHERE jsdh = %s AND zt = '1'", (bill_key,)
        ).rowcount
