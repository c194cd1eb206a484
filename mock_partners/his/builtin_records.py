"""The built-in HIS as the hospital's desk uses it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import date
from typing import Any

from mock_partners.his import catalogue, fees, visits
from mock_partners.his.chart import Chart
from mock_partners.his.numbers import to_fen, to_yuan
from mock_partners.his.people import CHILD_AGE, age_on
from mock_partners.his.records import SHANGHAI, Attendance, Bill, Db, Known, Payment, Records
from mock_partners.his.visits import Encounter

_STATUS = {"0": "unsettled", "1": "settled", "2": "refunded"}


class BuiltinRecords(Records):
    def find(self, db: Db, document_no: str) -> Known | None:
        row = db.execute(
            "SELECT brid, xm, sjh, jhrsjh, swrq, ybkh FROM br_jbxx WHERE zjhm = %s", (document_no.upper(),)
        ).fetchone()
        if row is None:
            return None
        phones = frozenset(filter(None, (row["sjh"], row["jhrsjh"])))
        return Known(row["brid"], row["xm"], phones, row["swrq"] is None, row["ybkh"])

    def create(self, db: Db, application: Mapping[str, Any]) -> str:
        row = db.execute(
            "INSERT INTO br_jbxx (brid, xm, xb, csrq, zjlx, zjhm, sjh, ybkh)"
            " VALUES (lpad(nextval('br_xh')::text, 7, '0'), %s, %s, %s, %s, %s, %s, %s) RETURNING brid",
            (
                application["name"],
                "1" if application["sex"] == "male" else "2",
                application["birth_date"],
                "01" if application["document_type"] == "id_card" else "99",
                application["document_no"].upper(),
                application["phone"],
                application.get("medical_card_no"),
            ),
        ).fetchone()
        assert row is not None
        return str(row["brid"])

    def visits_on(self, db: Db, patient_no: str, day: date) -> int:
        row = db.execute(
            "SELECT count(*) AS n FROM jz_jl WHERE brid = %s AND kssj::date = %s", (patient_no, day)
        ).fetchone()
        return int(row["n"]) if row else 0

    def open_visit(self, db: Db, attendance: Attendance) -> dict[str, Any]:
        rng = random.Random(f"{attendance.seed}:visit:{attendance.patient_no}:{attendance.local:%Y%m%d}")
        encounter = self._encounter(db, attendance, rng)
        lines = fees.outpatient(rng, returned=rng.random() < 0.2)
        chart = Chart()
        visits.write_visit(chart, encounter, rng, lines)
        visits.write_unsettled_bill(chart, encounter, lines)
        chart.insert_into(db)
        return {
            "visit_key": encounter.visit_no,
            "bill_key": encounter.bill_no,
            "total_fen": to_fen(fees.total(lines)),
        }

    def _encounter(self, db: Db, attendance: Attendance, rng: random.Random) -> Encounter:
        department, doctor = attendance.department, attendance.doctor
        if department is None or doctor is None:
            department, doctor = self._counter(db, attendance, rng)
        local = attendance.local
        nth = self.visits_on(db, attendance.patient_no, local.date()) + 1
        tail = f"{local:%Y%m%d}{attendance.patient_no[-7:]}{nth}"
        return Encounter(
            visit_no="MZ" + tail,
            bill_no="JS" + tail,
            patient_no=attendance.patient_no,
            department=department,
            doctor=doctor,
            started_at=local,
            appointment_no=attendance.appointment_no,
        )

    def _counter(self, db: Db, attendance: Attendance, rng: random.Random) -> tuple[str, str]:
        """The department that the counter sends the patient to: children to paediatrics."""
        born = db.execute("SELECT csrq FROM br_jbxx WHERE brid = %s", (attendance.patient_no,)).fetchone()
        child = born is not None and age_on(born["csrq"], attendance.local.date()) < CHILD_AGE
        rows = db.execute("SELECT ksid, ysid FROM sys_ys ORDER BY ysid").fetchall()
        fit = [row for row in rows if (row["ksid"] == catalogue.PAEDIATRICS) == child]
        chosen = rng.choice(fit)
        return chosen["ksid"], chosen["ysid"]

    def bill(self, db: Db, bill_key: str) -> Bill | None:
        row = db.execute("SELECT brid, zje, zt FROM sf_jsd WHERE jsdh = %s FOR UPDATE", (bill_key,)).fetchone()
        return Bill(bill_key, row["brid"], to_fen(row["zje"]), _STATUS[row["zt"]]) if row else None

    def mark_settled(self, db: Db, bill: Bill, payment: Payment) -> None:
        db.execute(
            "UPDATE sf_jsd SET tczf = %s, zhzf = %s, grzf = %s, zt = '1', jssj = %s, xgsj = DEFAULT WHERE jsdh = %s",
            (
                to_yuan(payment.fund_fen),
                to_yuan(payment.account_fen),
                to_yuan(payment.self_pay_fen),
                payment.paid_at.astimezone(SHANGHAI).replace(tzinfo=None),
                bill.bill_key,
            ),
        )

    def mark_refunded(self, db: Db, bill: Bill) -> None:
        db.execute("UPDATE sf_jsd SET zt = '2', xgsj = DEFAULT WHERE jsdh = %s", (bill.bill_key,))
