"""A claim package in the words of the S200 dialect. Amounts are exact yuan with two places, times those of Shanghai."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from app.core.money import yuan
from app.core.pieces import pieces
from app.gateways.insurer.s200.envelope import Message, local_time

FEES_A_CALL = 100
# 快赔: the patient has paid, and is reimbursed.
QUICK = "0"
Parts = Mapping[str, Any]
Row = Mapping[str, Any]


def of_bill(claim: Mapping[str, Any], bill: Row) -> Iterator[Message]:
    """Everything of one bill, in order: the visit's file, its fees, the trial, the settlement, the medical record. A
    newer version of the package takes back what the one before it had uploaded, and changes the file."""
    package = claim["package"]
    parts, version = package["parts"], package["manifest"]["package_version"]
    number, hospital = bill["clearing_no"], parts["hospital"]["code"]

    def message(kind: str, body: Any, *, part: int = 1, count: int = 1) -> Message:
        return Message(kind, f"{kind}-{number}-v{version}-{part}", number, body, hospital, count)

    if version > 1:
        yield message("S270", {})
        yield message("S260", {})
    yield message("S230" if version > 1 else "S210", _file(claim["policy_no"], parts, bill))
    for part, fees in enumerate(pieces(bill["lines"], FEES_A_CALL), 1):
        yield message("S250", {"fees": [_fee(line) for line in fees]}, part=part, count=len(fees))
    settlement = _settlement(parts, bill)
    yield message("S290", settlement)
    yield message("S291", settlement)
    records = _records(parts, bill["visit_key"])
    if records:
        yield message("S340", {"records": records}, count=len(records))


def papers(claim: Mapping[str, Any]) -> Iterator[Message]:
    """What the patient sent with the claim, one call a file, to the first visit's file: the claim, which names them, is
    applied for when all of them are there."""
    package = claim["package"]
    parts, version = package["parts"], package["manifest"]["package_version"]
    number, hospital = parts["bills"][0]["clearing_no"], parts["hospital"]["code"]
    for part, document in enumerate(claim["documents"], 1):
        body = {"supplement": True, "records": [paper(document)]}
        yield Message("S340", f"S340-{number}-v{version}-D{part}", number, body, hospital)


def paper(document: Row) -> dict[str, str]:
    """A file of the patient's; its content is base64, and the hash is over its bytes."""
    return _paper_named(document) | {"content": document["content_base64"]}


def _paper_named(document: Row) -> dict[str, str]:
    return {"recordType": document["kind"], "title": document["title"], "sha256": document["sha256"]}


def undone(bill: Row, hospital: str) -> Message:
    """The cancelling of a bill's file that a refused delivery had opened."""
    number = bill["clearing_no"]
    return Message("S240", f"S240-{number}-v1-1", number, {}, hospital)


def application(claim: Mapping[str, Any]) -> Message:
    """The claim over its visits. What other policies have left may have changed since an earlier try: then this is
    another message, and the insurer knows the claim by its number."""
    manifest, parts = claim["package"]["manifest"], claim["package"]["parts"]
    body = {
        "claimNo": claim["claim_no"],
        "policyNo": claim["policy_no"],
        "packageVersion": manifest["package_version"],
        "packageRoot": manifest["root"],
        "packageKeyId": manifest["key_id"],
        "packageSignature": manifest["signature"],
        "visits": [bill["clearing_no"] for bill in parts["bills"]],
        "remainders": [{"visit": row["clearing_no"], "maxAmount": yuan(row["max_fen"])} for row in claim["remainders"]],
        "askedAmount": yuan(parts["claim"]["asked_fen"]),
        "payee": parts["claim"]["payee"],
        "consent": parts["consent"],
        "applicationForm": parts["application_form"],
        "documents": [_paper_named(document) for document in claim["documents"]],
    }
    left = repr(sorted((row["clearing_no"], row["max_fen"]) for row in claim["remainders"]))
    trade_no = f"S300-{claim['claim_no']}-v{manifest['package_version']}-{sha256(left.encode()).hexdigest()[:16]}"
    return Message("S300", trade_no, claim["claim_no"], body)


def _file(policy_no: str, parts: Parts, bill: Row) -> dict[str, Any]:
    key, insured = bill["visit_key"], parts["insured"]
    visit = next(visit for visit in parts["visits"] if visit["visit_key"] == key)
    return {
        "indemnitySign": QUICK,
        "policyNo": policy_no,
        "hospitalCode": parts["hospital"]["code"],
        "person": person(insured),
        "visitNo": key,
        "visitKind": visit["kind"],
        "department": visit["department_name"],
        "doctor": visit["doctor_name"],
        "startTime": local_time(visit["started_at"]),
        "endTime": local_time(visit["ended_at"]) if visit["ended_at"] else "",
        "diagnoses": [
            {**_coded(row), "main": row["main"], "stage": row["stage"]}
            for row in parts["diagnoses"]
            if row["visit_key"] == key
        ],
    }


def person(facts: Row) -> dict[str, str]:
    names = {"name": "name", "document_type": "certType", "document_no": "certNo", "birth_date": "birthday"}
    return {theirs: facts[ours] for ours, theirs in names.items()}


def _fee(line: Row) -> dict[str, Any]:
    """A returned item has a negative quantity."""
    return {
        "feeNo": str(line["line_no"]),
        **_coded(line),
        "category": line["category"],
        "insuranceCode": line["insurance_code"] or "",
        "insuranceClass": line["insurance_class"] or "",
        "price": line["unit_price"],
        "quantity": line["quantity"],
        "amount": yuan(line["amount_fen"]),
        "feeTime": local_time(line["at"]),
    }


def _settlement(parts: Parts, bill: Row) -> dict[str, Any]:
    return {
        "billNo": bill["bill_no"],
        "totalAmount": yuan(bill["total_fen"]),
        "fundAmount": yuan(bill["fund_fen"]),
        "accountAmount": yuan(bill["account_fen"]),
        "selfPayAmount": yuan(bill["self_pay_fen"]),
        "receipts": [
            {"code": e["code"], "number": e["number"], "checkCode": e["check_code"], "issuedOn": e["issued_on"],
             "sha256": e["sha256"] or ""}
            for e in parts["e_bills"]
            if e["clearing_no"] == bill["clearing_no"]
        ],
    }  # fmt: skip


def _records(parts: Parts, visit_key: str) -> list[dict[str, Any]]:
    documents = [
        {"recordType": row["kind"], "title": row["title"], "sha256": row["sha256"], "content": row["text"]}
        for row in parts["documents"]
        if row["visit_key"] == visit_key
    ]
    operations = [
        {"recordType": "operation", **_coded(row), "at": local_time(row["at"])}
        for row in parts["procedures"]
        if row["visit_key"] == visit_key
    ]
    return documents + operations


def _coded(row: Row) -> dict[str, str]:
    names = {"code": "code", "code_system": "codeSystem", "code_edition": "codeEdition", "name": "name"}
    return {theirs: row[ours] for ours, theirs in names.items()}
