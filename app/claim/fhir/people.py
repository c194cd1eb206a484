"""Who is in a claim, and who was seen where for what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.claim.fhir.elements import TERMS, Entries, coded, coding, identifier

GENDERS = {"male": "male", "female": "female"}
CLASSES = {"inpatient": ("IMP", "inpatient encounter"), "outpatient": ("AMB", "ambulatory")}


def people(made: Entries, parts: Mapping[str, Any]) -> None:
    insured, policy, hospital = parts["insured"], parts["policy"], parts["hospital"]
    made.add(
        "patient", "Patient",
        identifier=[identifier(insured["document_type"], insured["document_no"])],
        name=[{"text": insured["name"]}],
        gender=GENDERS.get(insured["sex"], "unknown"),
        birthDate=insured["birth_date"],
    )  # fmt: skip
    made.add("hospital", "Organization", identifier=[identifier("hospital", hospital["code"])], name=hospital["name"])
    made.add("insurer", "Organization", name=parts["application_form"]["form"]["insurer_name"])
    made.add(
        "coverage", "Coverage",
        status="active",
        identifier=[identifier("policy", policy["policy_no"])],
        type={"text": policy["product_name"], "coding": [coding("product-filing", policy["product_filing_no"])]},
        beneficiary=made.to("patient"),
        payor=[made.to("insurer")],
        period={"start": policy["valid_from"], "end": policy["valid_to"]},
    )  # fmt: skip


def visits(made: Entries, parts: Mapping[str, Any]) -> None:
    for visit in parts["visits"]:
        code, display = CLASSES.get(visit["kind"], CLASSES["outpatient"])
        made.add(
            f"visit:{visit['visit_key']}", "Encounter",
            status="finished" if visit["ended_at"] else "in-progress",
            identifier=[identifier("visit", visit["visit_key"])],
            subject=made.to("patient"),
            serviceProvider=made.to("hospital"),
            serviceType={"text": visit["department_name"]},
            participant=[{"individual": {"display": visit["doctor_name"]}}] if visit["doctor_name"] else [],
            period={name: at for name, at in (("start", visit["started_at"]), ("end", visit["ended_at"])) if at},
            **{"class": {"system": f"{TERMS}/v3-ActCode", "code": code, "display": display}},
        )  # fmt: skip
    for number, diagnosis in enumerate(parts["diagnoses"], 1):
        made.add(
            f"diagnosis:{number}", "Condition",
            subject=made.to("patient"),
            encounter=made.to(f"visit:{diagnosis['visit_key']}"),
            code=coded(diagnosis),
            category=[{"coding": [{"system": f"{TERMS}/condition-category", "code": "encounter-diagnosis"}]}],
        )  # fmt: skip
    for number, procedure in enumerate(parts["procedures"], 1):
        made.add(
            f"procedure:{number}", "Procedure",
            status="completed",
            subject=made.to("patient"),
            encounter=made.to(f"visit:{procedure['visit_key']}"),
            code=coded(procedure),
            performedDateTime=procedure["at"],
        )  # fmt: skip
