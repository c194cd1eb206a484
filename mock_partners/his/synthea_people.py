"""The people of a Synthea sample, and the rows that the hospitals' small tables beside it hold about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import psycopg

from mock_partners.his import generator, visits
from mock_partners.his.chart import Chart
from mock_partners.his.numbers import digits, identity_number, phone, to_fen
from mock_partners.his.people import CHILD_AGE, EarlierBill, Person, age_on, guardian_named

BUSY_DOCTORS = 8
GUARDIANS = (("刘建军", "male", 31), ("陈丽", "female", 29), ("赵海燕", "female", 34), ("孙志远", "male", 27))
"""Name, sex and age at the child's birth of the people who are invented as guardians."""

NOT_COMMERCIAL = ("Medicare", "Medicaid", "Dual Eligible", "NO_INSURANCE")
"""Public payers of the sample, and its name for no cover; all others sell policies."""

_BILLS = """
SELECT c."Id" AS bill_key, c."PATIENTID" AS patient_no, o.hospital,
       (c."SERVICEDATE" AT TIME ZONE 'Asia/Shanghai') AS served_at,
       coalesce(sum(t."AMOUNT") FILTER (WHERE t."TYPE" = 'CHARGE'), 0) AS charged,
       coalesce(sum(t."PAYMENTS") FILTER (WHERE t."TYPE" = 'PAYMENT'), 0) AS paid,
       coalesce(sum(t."PAYMENTS") FILTER (WHERE t."TYPE" = 'PAYMENT' AND t."METHOD" = 'ECHECK'), 0) AS fund
FROM claims c JOIN encounters e ON e."Id" = c."APPOINTMENTID"
JOIN mock_organization o ON o.organization_id = e."ORGANIZATION"
LEFT JOIN claims_transactions t ON t."CLAIMID" = c."Id"
GROUP BY c."Id", c."PATIENTID", o.hospital, c."SERVICEDATE" ORDER BY c."SERVICEDATE", c."Id"
"""


def people(db: psycopg.Connection, seed: int, business_date: date) -> list[Person]:
    """Everyone of the sample, with an identity number that fits the birth date, a phone, and a guardian under 14."""
    rows = db.execute(
        'SELECT p."Id", p."BIRTHDATE", p."DEATHDATE", p."GENDER", p."FIRST", p."LAST", min(o.hospital), count(*)'
        ' FROM patients p JOIN encounters e ON e."PATIENT" = p."Id"'
        ' JOIN mock_organization o ON o.organization_id = e."ORGANIZATION"'
        ' GROUP BY p."Id", p."BIRTHDATE", p."DEATHDATE", p."GENDER", p."FIRST", p."LAST" ORDER BY p."Id"'
    ).fetchall()
    found = {row[0]: _person(seed, place, row, business_date) for place, row in enumerate(rows)}
    for row in db.execute(_BILLS).fetchall():
        charged, paid, fund = row[4:7]
        found[row[1]].bills.append(
            EarlierBill(row[0], row[3].date(), to_fen(charged), to_fen(charged - fund), charged == paid)
        )
    return list(found.values())


def _person(seed: int, ordinal: int, row: tuple[Any, ...], business_date: date) -> Person:
    patient_no, born, died, gender, first, last, hospital, visited = row
    sex = "male" if gender == "M" else "female"
    guardian = None
    if died is None and age_on(born, business_date) < CHILD_AGE:
        name, guardian_sex, age = GUARDIANS[ordinal % len(GUARDIANS)]
        guardian = guardian_named(name, guardian_sex, date(born.year - age, 5, 1 + ordinal % 28), ordinal)
    return Person(
        patient_no=patient_no,
        hospital=hospital,
        name="".join(c for c in f"{first} {last}" if not c.isdigit()),
        document_no=identity_number(born, sex, ordinal),
        phone=guardian.phone if guardian else phone(ordinal),
        birth_date=born,
        sex=sex,
        medical_card_no="C" + digits(9, seed, "card", patient_no),
        guardian=guardian,
        alive=died is None,
        visits=visited,
    )


def beside_chart(
    db: psycopg.Connection, seed: int, hospital: str, mine: Sequence[Person], business_date: date
) -> Chart:
    """The rows of our own tables beside the sample: campuses, identity cards, slots, cashier's book, e-bills."""
    chart = Chart()
    for (organization,) in db.execute(
        "SELECT organization_id FROM mock_organization WHERE hospital = %s ORDER BY 1", (hospital,)
    ).fetchall():
        chart.add("yq", organization_id=organization)
    for person in mine:
        write_card(chart, person)
    _write_slots(chart, db, hospital, len(mine), business_date)
    _write_books(chart, db, hospital)
    return chart


def write_card(chart: Chart, person: Person) -> None:
    guardian = person.guardian
    chart.add(
        "br_zj",
        brid=person.patient_no,
        xm=person.name,
        zjlx=person.document_type,
        zjhm=person.document_no,
        sjh=person.phone,
        ybkh=person.medical_card_no,
        jhrxm=guardian.name if guardian else None,
        jhrzjhm=guardian.document_no if guardian else None,
        jhrsjh=guardian.phone if guardian else None,
    )


def _write_slots(chart: Chart, db: psycopg.Connection, hospital: str, patients: int, business_date: date) -> None:
    """Slots of the hospital's busiest doctors on the business date."""
    rows = db.execute(
        'SELECT p."SPECIALITY", p."Id" FROM providers p'
        ' JOIN mock_organization o ON o.organization_id = p."ORGANIZATION"'
        ' JOIN encounters e ON e."PROVIDER" = p."Id" WHERE o.hospital = %s'
        ' GROUP BY 1, 2 ORDER BY count(*) DESC, p."Id" LIMIT %s',
        (hospital, BUSY_DOCTORS),
    ).fetchall()
    capacity = max(4, -(-4 * patients // (BUSY_DOCTORS * len(generator.SLOT_TIMES))))
    for department, doctor in rows:
        for hour in generator.SLOT_TIMES:
            start = datetime.combine(business_date, time.fromisoformat(hour))
            generator.write_slot(chart, (department, doctor), start, capacity, stopped=False)


def _write_books(chart: Chart, db: psycopg.Connection, hospital: str) -> None:
    """The cashier's entry of every settled bill; an e-bill for those that balance and are not zero."""
    for bill_key, patient_no, where, served_at, charged, paid, fund in db.execute(_BILLS).fetchall():
        if where != hospital:
            continue
        chart.add("sf_szz", jsdh=bill_key, brid=patient_no, grzf=charged - fund, zt="1", jzsj=served_at)
        if charged == paid and charged > 0:
            chart.add("sf_dzpj", **visits.e_bill(bill_key, patient_no, Decimal(charged), served_at))


def read_covers(db: psycopg.Connection) -> list[dict[str, Any]]:
    """The commercial covers, oldest first: patient_no, member, payer, valid_from, valid_to (local dates)."""
    rows = db.execute(
        'SELECT t."PATIENT", t."MEMBERID", y."NAME",'
        " (t.\"START_YEAR\" AT TIME ZONE 'Asia/Shanghai')::date, (t.\"END_YEAR\" AT TIME ZONE 'Asia/Shanghai')::date"
        ' FROM payer_transitions t JOIN payers y ON y."Id" = t."PAYER"'
        ' WHERE y."NAME" <> ALL(%s) ORDER BY t."PATIENT", t."START_YEAR", t."MEMBERID"',
        (list(NOT_COMMERCIAL),),
    ).fetchall()
    return [dict(zip(("patient_no", "member", "payer", "valid_from", "valid_to"), row, strict=True)) for row in rows]
