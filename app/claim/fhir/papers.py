"""The papers of a claim, each with its hash: e-bills, medical records, what the patient has sent, the form; the
consents under which they are shared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.claim.fhir.elements import TERMS, Entries, Resource, coding, identifier


def papers(made: Entries, parts: Mapping[str, Any]) -> None:
    """E-bills, medical records, what the patient has sent, and the application form: each with its hash."""
    for e_bill in parts["e_bills"]:
        made.add(
            f"e_bill:{e_bill['code']}:{e_bill['number']}", "DocumentReference",
            status="entered-in-error" if e_bill["status"] == "reversed" else "current",
            identifier=[identifier("e-bill", f"{e_bill['code']}/{e_bill['number']}/{e_bill['check_code']}")],
            type={"text": "医疗收费电子票据"},
            subject=made.to("patient"),
            content=[_attachment("电子票据", None, e_bill["sha256"], creation=e_bill["issued_on"])],
            context={"related": [made.to(f"bill:{e_bill['clearing_no']}")]},
        )  # fmt: skip
    for number, record in enumerate(parts["documents"], 1):
        visit = made.to(f"visit:{record['visit_key']}")
        content = _attachment(record["title"], "text/plain", record["sha256"])
        _paper(made, f"document:{number}", record["kind"], content, context={"encounter": [visit]})
    for number, sent in enumerate(parts["supplements"], 1):
        content = _attachment(sent["title"], sent["media_type"], sent["sha256"])
        _paper(made, f"supplement:{number}", sent["kind"], content)
    form = parts["application_form"]
    _paper(made, "form", "application_form", _attachment(form["title"], form["media_type"], form["sha256"]))


def _paper(made: Entries, place: str, kind: str, content: Resource, **more: Any) -> None:
    about = {"type": {"text": kind}, "subject": made.to("patient")}
    made.add(place, "DocumentReference", status="current", **about, content=[content], **more)


def consents(made: Entries, parts: Mapping[str, Any]) -> None:
    for given in parts["consent"]["given"]:
        _consent(made, given)


def _consent(made: Entries, given: Mapping[str, Any]) -> None:
    made.add(
        f"consent:{given['data_class']}", "Consent",
        status="active",
        scope={"coding": [{"system": f"{TERMS}/consentscope", "code": "patient-privacy"}]},
        category=[{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        patient=made.to("patient"),
        dateTime=given["given_at"],
        organization=[made.to("insurer")],
        policyRule={"text": given["wording"]},
        provision={
            "type": "permit",
            "purpose": [{"system": f"{TERMS}/v3-ActReason", "code": "CLMATTCH"}],
            "code": [{"coding": [coding("scope", name)]} for name in given["scope"]],
        },
    )  # fmt: skip


def _attachment(title: str, media_type: str | None, sha256: str | None, creation: str | None = None) -> Resource:
    """FHIR's own `hash` is SHA-1: ours stands in the file's address. Of an e-bill there may be no file."""
    address = None if sha256 is None else f"urn:sha256:{sha256}"
    told = {"title": title, "contentType": media_type, "url": address, "creation": creation}
    return {"attachment": {name: value for name, value in told.items() if value is not None}}
