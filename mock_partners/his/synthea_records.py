"""A Synthea-shaped HIS as the hospital's desk uses it. New rows copy the shape, codes and prices of the sample."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from mock_partners.his.chart import Chart
from mock_partners.his.numbers import to_fen, to_yuan
from mock_partners.his.records import Attendance, Bill, Db, Known, Payment, Records

DEAREST_VISIT = Decimal(3_000)
VISIT_LENGTH = timedelta(minutes=15)

_PATTERN = """
SELECT c."Id", e."ENCOUNTERCLASS", e."CODE", e."DESCRIPTION", e."PAYER", c."DIAGNOSIS1", d."DESCRIPTION" AS diagnosis
FROM claims c JOIN encounters e ON e."Id" = c."APPOINTMENTID"
JOIN claims_transactions t ON t."CLAIMID" = c."Id" AND t."TYPE" = 'CHARGE'
JOIN conditions d ON d."ENCOUNTER" = e."Id" AND d."CODE" = c."DIAGNOSIS1"
WHERE e."ENCOUNTERCLASS" IN ('ambulatory', 'outpatient', 'wellness') AND c."STATUS1" = 'CLOSED'
GROUP BY c."Id", e."ENCOUNTERCLASS", e."CODE", e."DESCRIPTION", e."PAYER", c."DIAGNOSIS1", d."DESCRIPTION"
HAVING sum(t."AMOUNT") BETWEEN 50 AND %s ORDER BY md5(c."Id" || %s) LIMIT 1
"""
"""A claim of the sample with a diagnosis, not too dear, chosen by a seed: the pattern of a visit of the day."""


def _id(*parts: object) -> str:
    return str(uuid5(NAMESPACE_URL, "/".join(map(str, parts))))


class SyntheaRecords(Records):
    def find(self, db: Db, document_no: str) -> Known | None:
        row = db.execute(
            'SELECT z.*, p."DEATHDATE" FROM br_zj z JOIN patients p ON p."Id" = z.brid WHERE z.zjhm = %s',
            (document_no.upper(),),
        ).fetchone()
        if row is None:
            return None
        phones = frozenset(filter(None, (row["sjh"], row["jhrsjh"])))
        return Known(row["brid"], row["xm"], phones, row["DEATHDATE"] is None, row["ybkh"])

    def create(self, db: Db, application: Mapping[str, Any]) -> str:
        patient_no = _id("patient", application["document_no"].upper())
        chart = Chart()
        chart.add(
            "patients",
            Id=patient_no,
            BIRTHDATE=application["birth_date"],
            FIRST=application["name"],
            GENDER="M" if application["sex"] == "male" else "F",
        )
        chart.add(
            "br_zj",
            brid=patient_no,
            xm=application["name"],
            zjlx=application["document_type"],
            zjhm=application["document_no"].upper(),
            sjh=application["phone"],
            ybkh=application.get("medical_card_no"),
        )
        chart.insert_into(db)
        return patient_no

    def visits_on(self, db: Db, patient_no: str, day: date) -> int:
        row = db.execute(
            'SELECT count(*) AS n FROM encounters WHERE "PATIENT" = %s'
            " AND (\"START\" AT TIME ZONE 'Asia/Shanghai')::date = %s",
            (patient_no, day),
        ).fetchone()
        return int(row["n"]) if row else 0

    def open_visit(self, db: Db, attendance: Attendance) -> dict[str, Any]:
        day = attendance.local.date()
        nth = self.visits_on(db, attendance.patient_no, day) + 1
        encounter = _id("encounter", attendance.patient_no, day, nth)
        pattern = db.execute(_PATTERN, (DEAREST_VISIT, f"{attendance.seed}{encounter}")).fetchone()
        assert pattern is not None, "the sample holds no visit to copy"
        charges = db.execute(
            'SELECT * FROM claims_transactions WHERE "CLAIMID" = %s AND "TYPE" = \'CHARGE\' ORDER BY "CHARGEID"',
            (pattern["Id"],),
        ).fetchall()
        total = sum((row["AMOUNT"] for row in charges), Decimal(0))
        doctor, campus = self._doctor(db, attendance)
        _visit_rows(attendance, encounter, pattern, doctor, campus, total).insert_into(db)
        _charge_rows(attendance, encounter, charges, doctor, campus).insert_into(db)
        return {"visit_key": encounter, "bill_key": _id("claim", encounter), "total_fen": to_fen(total)}

    def _doctor(self, db: Db, attendance: Attendance) -> tuple[str, str]:
        """The doctor of the slot, or any of the hospital's for somebody at the counter, with the doctor's campus."""
        row = db.execute(
            'SELECT p."Id", p."ORGANIZATION" FROM providers p JOIN yq ON yq.organization_id = p."ORGANIZATION"'
            ' WHERE p."Id" = coalesce(%s, p."Id") ORDER BY md5(p."Id" || %s) LIMIT 1',
            (attendance.doctor, attendance.seed),
        ).fetchone()
        assert row is not None, "the slot's doctor works at no campus of this hospital"
        return row["Id"], row["ORGANIZATION"]

    def bill(self, db: Db, bill_key: str) -> Bill | None:
        claim = db.execute('SELECT * FROM claims WHERE "Id" = %s FOR UPDATE', (bill_key,)).fetchone()
        if claim is None:
            return None
        row = db.execute(
            'SELECT coalesce(sum("AMOUNT"), 0) AS charged FROM claims_transactions'
            ' WHERE "CLAIMID" = %s AND "TYPE" = \'CHARGE\'',
            (bill_key,),
        ).fetchone()
        charged = row["charged"] if row else Decimal(0)
        unsettled = claim["STATUS1"] == "BILLED" and Decimal(claim["OUTSTANDING1"] or 0) > 0
        status = "refunded" if claim["STATUS1"] == "REFUNDED" else "unsettled" if unsettled else "settled"
        return Bill(bill_key, claim["PATIENTID"], to_fen(charged), status)

    def mark_settled(self, db: Db, bill: Bill, payment: Payment) -> None:
        claim = db.execute('SELECT "APPOINTMENTID", "PROVIDERID" FROM claims WHERE "Id" = %s', (bill.bill_key,))
        about = claim.fetchone() or {}
        shares = {"ECHECK": payment.fund_fen, "ACCOUNT": payment.account_fen, "CASH": payment.self_pay_fen}
        chart = Chart()
        for place, (method, amount_fen) in enumerate(shares.items()):
            if amount_fen:
                chart.add(
                    "claims_transactions",
                    ID=_id("payment", bill.bill_key, method),
                    CLAIMID=bill.bill_key,
                    CHARGEID=1_000 + place,
                    PATIENTID=bill.patient_no,
                    TYPE="PAYMENT",
                    METHOD=method,
                    FROMDATE=payment.paid_at,
                    TODATE=payment.paid_at,
                    PAYMENTS=to_yuan(amount_fen),
                    APPOINTMENTID=about.get("APPOINTMENTID"),
                    PROVIDERID=about.get("PROVIDERID"),
                )
        chart.insert_into(db)
        db.execute(
            'UPDATE claims SET "STATUS1" = \'CLOSED\', "STATUSP" = \'CLOSED\', "OUTSTANDING1" = 0,'
            ' "LASTBILLEDDATE1" = %s WHERE "Id" = %s',
            (payment.paid_at, bill.bill_key),
        )

    def mark_refunded(self, db: Db, bill: Bill) -> None:
        db.execute('UPDATE claims SET "STATUS1" = \'REFUNDED\' WHERE "Id" = %s', (bill.bill_key,))


def _visit_rows(
    attendance: Attendance, encounter: str, pattern: Mapping[str, Any], doctor: str, campus: str, total: Decimal
) -> Chart:
    chart, end = Chart(), attendance.at + VISIT_LENGTH
    chart.add(
        "encounters",
        Id=encounter,
        START=attendance.at,
        STOP=end,
        PATIENT=attendance.patient_no,
        ORGANIZATION=campus,
        PROVIDER=doctor,
        PAYER=pattern["PAYER"],
        ENCOUNTERCLASS=pattern["ENCOUNTERCLASS"],
        CODE=pattern["CODE"],
        DESCRIPTION=pattern["DESCRIPTION"],
        TOTAL_CLAIM_COST=total,
    )
    chart.add(
        "conditions",
        START=attendance.local.date(),
        PATIENT=attendance.patient_no,
        ENCOUNTER=encounter,
        CODE=pattern["DIAGNOSIS1"],
        DESCRIPTION=pattern["diagnosis"],
    )
    chart.add(
        "claims",
        Id=_id("claim", encounter),
        PATIENTID=attendance.patient_no,
        PROVIDERID=doctor,
        APPOINTMENTID=encounter,
        SERVICEDATE=attendance.at,
        DIAGNOSIS1=pattern["DIAGNOSIS1"],
        STATUS1="BILLED",
        STATUSP="BILLED",
        OUTSTANDING1=total,
        LASTBILLEDDATE1=end,
    )
    return chart


def _charge_rows(
    attendance: Attendance, encounter: str, charges: list[dict[str, Any]], doctor: str, campus: str
) -> Chart:
    chart = Chart()
    for place, charge in enumerate(charges):
        chart.add(
            "claims_transactions",
            ID=_id("charge", encounter, place),
            CLAIMID=_id("claim", encounter),
            CHARGEID=place,
            PATIENTID=attendance.patient_no,
            TYPE="CHARGE",
            AMOUNT=charge["AMOUNT"],
            FROMDATE=attendance.at,
            TODATE=attendance.at + VISIT_LENGTH,
            PLACEOFSERVICE=campus,
            PROCEDURECODE=charge["PROCEDURECODE"],
            UNITS=charge["UNITS"],
            NOTES=charge["NOTES"],
            UNITAMOUNT=charge["UNITAMOUNT"],
            APPOINTMENTID=encounter,
            PROVIDERID=doctor,
        )
    return chart
