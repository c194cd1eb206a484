"""What belongs to another answers exactly as what is not there, on every route of a patient that takes an id."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from app.claim.models.decisions import RefusalLetter
from tests.app.appointment.kit import department, doctor, slot
from tests.app.partner import batch
from tests.app.payout.kit import created
from tests.app.record.kit import report
from tests.app.settlement.kit import trial
from tests.app.town import Insured, Town

READ = [
    "/bills?person_id={person_id}",
    "/visits?person_id={person_id}",
    "/reports?person_id={person_id}",
    "/claimable-bills?person_id={person_id}",
    "/policies?person_id={person_id}",
    "/registrations?person_id={person_id}",
    "/payouts?claim_id={claim_id}",
    "/bindings/{binding_id}",
    "/bills/{bill_id}",
    "/reports/{report_id}",
    "/trials/{trial_id}",
    "/settlements/{settlement_id}",
    "/payments/{payment_id}",
    "/appointments/{appointment_id}",
    "/claims/{claim_id}",
    "/claims/{claim_id}/timeline",
    "/claims/{claim_id}/letters/{letter_id}",
    "/payouts/{payout_id}",
    "/waiting-entries/{entry_id}",
]
OF_ALL = {"/slots/{slot_id}/nearby"}
DOCUMENT = {
    "kind": "medical_record",
    "title": "病历",
    "media_type": "image/png",
    "content_base64": "iVBORw0KGgo=",
}
CHANGE: dict[str, dict[str, Any] | None] = {
    "/bindings/{binding_id}/revoke": None,
    "/consents/{consent_id}/withdraw": None,
    "/trials": {"bill_id": "{bill_id}"},
    "/settlements": {"trial_id": "{trial_id}"},
    "/appointments/{appointment_id}/cancel": None,
    "/waiting-entries/{entry_id}/accept": None,
    "/waiting-entries/{entry_id}/leave": None,
    "/claims/{claim_id}/documents": {"documents": [DOCUMENT]},
    "/claims/{claim_id}/appeal": {"reason": "不同意", "lines": []},
    "/claims/{claim_id}/accept": None,
    "/claims/{claim_id}/withdraw": None,
    "/policies": {"person_id": "{person_id}", "insurer": "I1", "consent": True},
    "/payouts/{payout_id}/change-to-bank": {"bank_account": "6222020200112233445"},
}


@pytest.fixture(scope="module")
def kept() -> dict[str, str]:
    """The ids of what one patient has: made by the first test, as the town lives as long as the module."""
    return {}


@pytest.fixture
def ids(town: Town, kept: dict[str, str]) -> dict[str, str]:
    if not kept:
        kept |= everything(town, town.insured())
    return kept


def everything(town: Town, who: Insured) -> dict[str, str]:
    bill_id = town.bill(who, settled=False)
    visit_key = town.value("SELECT v.key FROM visit v JOIN bill b ON b.visit_id = v.id WHERE b.id = :id", id=bill_id)
    town.push([report(f"R-{visit_key}", visit_key)])
    trial_id = trial(town, who, bill_id)
    assert who.post("/settlements", {"trial_id": trial_id}).status_code == 201
    claim_id, payout_id = created(town, who, 5_000)
    publish_slots(town)
    return {
        "person_id": str(who.person_id),
        "binding_id": str(town.value("SELECT id FROM binding WHERE person_id = :id", id=who.person_id)),
        "bill_id": str(bill_id),
        "report_id": str(town.value("SELECT id FROM report WHERE key = :key", key=f"R-{visit_key}")),
        "trial_id": trial_id,
        "settlement_id": trial_id,
        "payment_id": who.get(f"/settlements/{trial_id}")["payment_id"],
        "appointment_id": entered(town, who, "/appointments", "slot-1"),
        "entry_id": entered(town, who, "/waiting-entries", "slot-2"),
        "consent_id": str(town.value("SELECT consent_id FROM claim WHERE id = :id", id=claim_id)),
        "claim_id": claim_id,
        "letter_id": letter(town, claim_id),
        "payout_id": payout_id,
    }


def letter(town: Town, claim_id: str) -> str:
    """A refusal letter about this claim's decision."""
    decision_id: Any = town.value("SELECT id FROM decision WHERE claim_id = :id", id=claim_id)
    with town.runtime.work() as work:
        row = RefusalLetter(claim_id=UUID(claim_id), decision_id=decision_id, title="拒赔通知书", issued_at=work.now)
        row.sha256 = "0" * 64
        work.seal(row, "content_sealed", "iVBORw0KGgo=")
        work.add(row)
    return str(row.id)


def publish_slots(town: Town) -> None:
    """slot-1, which has places, and slot-2, which has none."""
    slots = (slot(f"slot-{no}", department_code="dep-1", capacity=2 - no) for no in (1, 2))
    town.agent("H1").ok(
        "/batches", batch(900_001, "catalogue", [department("dep-1"), doctor("doc-1", "dep-1"), *slots])
    )
    town.drain_all("appointment.apply_catalogue")


def entered(town: Town, who: Insured, path: str, key: str) -> str:
    slot_id = town.value("SELECT id FROM slot WHERE key = :key", key=key)
    answer = who.post(path, {"person_id": str(who.person_id), "slot_id": str(slot_id), "self_pay": True})
    assert answer.status_code == 201, answer.get_json()
    return str(answer.get_json()["id"])


def filled(pattern: Any, ids: dict[str, str]) -> Any:
    if isinstance(pattern, dict):
        return {name: filled(value, ids) for name, value in pattern.items()}
    return pattern.format(**ids) if isinstance(pattern, str) else pattern


def shown(answer: Any) -> tuple[int, str, str, object]:
    found = answer.get_json()
    return answer.status_code, found.get("code"), found.get("message"), found.get("fields")


def test_every_route_that_takes_an_id_is_asked(town: Town) -> None:
    document = town.clinic.client.get("/api/openapi.json").get_json()
    wanted = set()
    for path, methods in document["paths"].items():
        for parameter in methods.get("get", {}).get("parameters", []):
            if parameter["name"].endswith("_id") and {"account": []} in methods["get"].get("security", []):
                query = f"?{parameter['name']}={{{parameter['name']}}}" if parameter["in"] == "query" else ""
                wanted.add(path.removeprefix("/api/v1") + query)
    assert wanted == set(READ) | OF_ALL


@pytest.mark.parametrize("path", READ)
def test_anothers_reads_like_a_missing_one(town: Town, ids: dict[str, str], path: str) -> None:
    stranger = town.insured("李四")
    foreign = shown(stranger.patient.get(filled(path, ids)))
    missing = shown(stranger.patient.get(filled(path, {name: str(uuid4()) for name in ids})))
    assert foreign == missing and foreign[0] == 404


@pytest.mark.parametrize("path", CHANGE)
def test_anothers_changes_like_a_missing_one(town: Town, ids: dict[str, str], path: str) -> None:
    stranger = town.insured("李四")
    foreign, missing = (
        shown(stranger.post(filled(path, used), filled(CHANGE[path], used)))
        for used in (ids, {name: str(uuid4()) for name in ids})
    )
    assert foreign == missing and foreign[0] == 404
