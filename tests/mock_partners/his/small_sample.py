"""A Synthea sample of a few invented rows, in the columns of its CSV file data dictionary."""

from __future__ import annotations

import csv
from pathlib import Path

HEADERS = {
    "organizations": "Id,NAME,ADDRESS,CITY,STATE,ZIP,LAT,LON,PHONE,REVENUE,UTILIZATION",
    "providers": "Id,ORGANIZATION,NAME,GENDER,SPECIALITY,ADDRESS,CITY,STATE,ZIP,LAT,LON,UTILIZATION",
    "payers": "Id,NAME,ADDRESS,CITY,PHONE",
    "patients": "Id,BIRTHDATE,DEATHDATE,SSN,FIRST,LAST,GENDER",
    "payer_transitions": "PATIENT,MEMBERID,START_YEAR,END_YEAR,PAYER,SECONDARY_PAYER,OWNERSHIP,OWNERNAME",
    "encounters": "Id,START,STOP,PATIENT,ORGANIZATION,PROVIDER,PAYER,ENCOUNTERCLASS,CODE,DESCRIPTION,"
    "BASE_ENCOUNTER_COST,TOTAL_CLAIM_COST,PAYER_COVERAGE,REASONCODE,REASONDESCRIPTION",
    "conditions": "START,STOP,PATIENT,ENCOUNTER,CODE,DESCRIPTION",
    "procedures": "START,STOP,PATIENT,ENCOUNTER,CODE,DESCRIPTION,BASE_COST,REASONCODE,REASONDESCRIPTION",
    "medications": "START,STOP,PATIENT,PAYER,ENCOUNTER,CODE,DESCRIPTION,BASE_COST,PAYER_COVERAGE,DISPENSES,TOTALCOST",
    "claims": "Id,PATIENTID,PROVIDERID,DIAGNOSIS1,APPOINTMENTID,SERVICEDATE,STATUS1,STATUSP,OUTSTANDING1,"
    "LASTBILLEDDATE1",
    "claims_transactions": "ID,CLAIMID,CHARGEID,PATIENTID,TYPE,AMOUNT,METHOD,FROMDATE,TODATE,PLACEOFSERVICE,"
    "PROCEDURECODE,UNITS,NOTES,UNITAMOUNT,PAYMENTS,ADJUSTMENTS,TRANSFERS,OUTSTANDING,APPOINTMENTID,PROVIDERID",
}
ADULT, CHILD, DEAD, PUBLIC = "adult", "child", "dead", "public"
PEOPLE = {ADULT: ("1980-02-29", "", "F"), CHILD: ("2016-05-05", "", "M"), DEAD: ("1950-01-01", "2001-01-01", "M")}
BILLS: dict[str, tuple[str, list[tuple[str, str]], str, str]] = {
    # bill: (visit, charges as (code, amount), paid by the fund, paid by the patient)
    "bill-1": ("visit-1", [("SERVICE", "100.25"), ("PILL", "20.50")], "60.00", "60.75"),
    "bill-2": ("visit-1", [("OPERATION", "80.00")], "0", "80.00"),
    "bill-3": ("visit-2", [("SERVICE", "55.00")], "0", "0"),
    "bill-4": ("visit-3", [("VACCINE", "0.00")], "0", "0"),
    "bill-5": ("visit-3", [("SERVICE", "64.00")], "0", "64.00"),
    "bill-6": ("visit-4", [("SERVICE", "70.00")], "0", "70.00"),
}
"""bill-3 does not balance, bill-4 is zero."""
VISITS = {
    "visit-1": (ADULT, "north", "2024-01-10T02:00:00Z", "ambulatory"),
    "visit-2": (ADULT, "north", "2024-02-10T17:30:00Z", "inpatient"),
    "visit-3": (CHILD, "south", "2024-03-10T02:00:00Z", "wellness"),
    "visit-4": (DEAD, "south", "2000-03-10T02:00:00Z", "emergency"),
}


def write(folder: Path) -> Path:
    """Write the eleven files; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    rows: dict[str, list[dict[str, str]]] = {**_clinical(), **_billing()}
    for name, header in HEADERS.items():
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, header.split(","), restval="")
            writer.writeheader()
            writer.writerows(rows[name])
    return folder


def _clinical() -> dict[str, list[dict[str, str]]]:
    covers = [("m1", "2023-01-01", "2024-01-01", "acme"), ("m2", "2024-01-01", "2024-12-31", "best")]
    return {
        "organizations": [{"Id": each, "NAME": each.upper()} for each in ("north", "south", "empty")],
        "providers": [
            {"Id": f"dr-{each}", "ORGANIZATION": each, "NAME": f"Doctor {each}", "SPECIALITY": "GENERAL PRACTICE"}
            for each in ("north", "south")
        ],
        "payers": [
            {"Id": key, "NAME": name} for key, name in (("acme", "Acme"), ("best", "Best"), ("pub", "Medicaid"))
        ],
        "patients": [
            {"Id": key, "BIRTHDATE": born, "DEATHDATE": died, "GENDER": sex, "FIRST": "Ann12", "LAST": f"{key}34"}
            for key, (born, died, sex) in PEOPLE.items()
        ],
        "payer_transitions": [
            *(_cover(ADULT, *cover) for cover in covers),
            _cover(CHILD, "m3", "2024-01-01", "2024-12-31", "pub"),
            _cover(DEAD, "m4", "2000-01-01", "2000-12-31", "acme"),
        ],
        "encounters": [
            {
                "Id": visit,
                "PATIENT": patient,
                "ORGANIZATION": place,
                "PROVIDER": f"dr-{place}",
                "START": at,
                "STOP": at,
                "ENCOUNTERCLASS": kind,
                "CODE": "SERVICE",
                "DESCRIPTION": "A visit",
            }
            for visit, (patient, place, at, kind) in VISITS.items()
        ],
        "conditions": [
            {"START": at[:10], "PATIENT": patient, "ENCOUNTER": visit, "CODE": "COLD", "DESCRIPTION": "A cold"}
            for visit, (patient, _, at, _) in VISITS.items()
        ],
        "procedures": [
            {"START": VISITS["visit-1"][2], "PATIENT": ADULT, "ENCOUNTER": "visit-1", "CODE": "OPERATION"}
            | {"DESCRIPTION": "An operation"}
        ],
        "medications": [{"START": VISITS["visit-1"][2], "PATIENT": ADULT, "ENCOUNTER": "visit-1", "CODE": "PILL"}],
    }


def _cover(patient: str, member: str, start: str, end: str, payer: str) -> dict[str, str]:
    times = {"START_YEAR": f"{start}T00:00:00Z", "END_YEAR": f"{end}T00:00:00Z"}
    return {"PATIENT": patient, "MEMBERID": member, "PAYER": payer, **times}


def _billing() -> dict[str, list[dict[str, str]]]:
    claims, transactions = [], []
    for bill, (visit, charges, fund, own) in BILLS.items():
        patient, place, at, _ = VISITS[visit]
        common = {
            "CLAIMID": bill,
            "PATIENTID": patient,
            "FROMDATE": at,
            "APPOINTMENTID": visit,
            "PLACEOFSERVICE": place,
        }
        claims.append(
            {
                "Id": bill,
                "PATIENTID": patient,
                "PROVIDERID": f"dr-{place}",
                "DIAGNOSIS1": "COLD",
                "APPOINTMENTID": visit,
            }
            | {"SERVICEDATE": at, "STATUS1": "CLOSED", "OUTSTANDING1": "0", "LASTBILLEDDATE1": at}
        )
        entries = [
            {
                "TYPE": "CHARGE",
                "AMOUNT": amount,
                "UNITAMOUNT": amount,
                "UNITS": "1",
                "PROCEDURECODE": code,
                "NOTES": code,
            }
            for code, amount in charges
        ]
        entries.append({"TYPE": "TRANSFEROUT", "TRANSFERS": "1.00"})
        entries += [
            {"TYPE": "PAYMENT", "METHOD": method, "PAYMENTS": paid}
            for method, paid in (("ECHECK", fund), ("CASH", own))
            if paid != "0"
        ]
        transactions += [
            {**common, **entry, "ID": f"{bill}-{number}", "CHARGEID": str(number)}
            for number, entry in enumerate(entries)
        ]
    return {"claims": claims, "claims_transactions": transactions}
