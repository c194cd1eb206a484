"""What an insurer gets: encrypted, checkable offline, again when it asks, and a further version with documents."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from joserfc.jwk import ECKey

from app.claim.cli import package as package_command
from app.exchange.cli import partner
from claim_checker.__main__ import ALTERED, OK, main
from claim_checker.opening import decrypt
from mock_partners.insurer.opening import make_package_key
from tests.app.claim.kit import NEVER_S, adjudicate, at_the_insurer, clearing_rows, fed, guards, journal, say
from tests.app.claim.test_documents import PAPER, ask
from tests.app.town import Town, bill_rows, configure

PERSONAL = ("insured", "visits", "diagnoses", "procedures", "documents", "bills", "application_form", "supplements")


def number(town: Town, claim_id: str) -> str:
    return str(town.value("SELECT no FROM claim WHERE id = :id", id=claim_id))


def own_key(town: Town, code: str = "I1") -> str:
    insurer = next(one for one in town.clinic.world["insurers"] if one["code"] == code)
    return str(insurer["package_key"]["private_key_pem"])


def delivered(town: Town, claim_id: str) -> dict[str, Any]:
    """The package in the last delivery of this claim, as it crossed the wire."""
    bodies = [json.loads(entry["body"]) for entry in journal(town, "I1", "/v1/claims")]
    found: dict[str, Any] = [body["package"] for body in bodies if body["claim_no"] == number(town, claim_id)][-1]
    return found


def check(town: Town, tmp_path: Any, *packages: Any, private: str = "") -> int:
    """The checker's verdict over the last of the packages, with the others before it."""
    names = []
    for place, one in enumerate(packages):
        names.append(tmp_path / f"{place}.json")
        names[-1].write_text(json.dumps(one, ensure_ascii=False))
    key = tmp_path / "key.pem"
    key.write_text(private or own_key(town))
    public = town.runtime.signing.current.public_key
    before = ["--previous", str(names[0])] if len(names) > 1 else []
    return main([str(names[-1]), "--key", public, "--decrypt", str(key), *before])


def changes(town: Town, code: str = "I1") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while more := town.agent(code).ok("/changes/poll", {"cursor": len(found), "max": 200, "wait_ms": 0})["changes"]:
        found += more
    return found


def test_what_is_personal_crosses_the_wire_encrypted(town: Town, tmp_path: Any) -> None:
    who = town.insured("欧阳·娜")
    claim_id = at_the_insurer(town, who)
    package = delivered(town, claim_id)
    assert set(package["encrypted"]) == set(PERSONAL)
    text = json.dumps(package, ensure_ascii=False)
    assert not [secret for secret in (who.name, who.document_no, "咽痛三天", "急性上呼吸道感染") if secret in text]
    assert check(town, tmp_path, package) == OK
    package["parts"]["claim"]["asked_fen"] += 1
    assert check(town, tmp_path, package) == ALTERED


def test_the_claim_was_made_when_it_was_submitted(town: Town) -> None:
    claim_id = at_the_insurer(town, town.insured())
    made = town.value("SELECT submitted_at FROM claim WHERE id = :id", id=claim_id)
    first = town.value(
        "SELECT min(at) FROM audit_entry WHERE subject_id = :id AND to_status = 'submitted'", id=claim_id
    )
    assert delivered(town, claim_id)["parts"]["claim"]["created_at"] == made.isoformat()
    assert abs((made - first).total_seconds()) < 1


def test_documents_come_with_the_next_version(town: Town, tmp_path: Any) -> None:
    who = town.insured()
    photo = PAPER | {"kind": "identity_image"}
    claim_id = at_the_insurer(town, who, documents=[photo])
    first = delivered(town, claim_id)
    say(town, "claim.documents_requested", ask(town, claim_id))
    case = town.insurers["I1"].book.case(number(town, claim_id))
    town.insurers["I1"].book.save(case | {"state": "documents", "documents_request_no": "R1"})
    papers = [PAPER | {"kind": kind, "content_base64": content} for kind, content in _FILES.items()]
    assert who.post(f"/claims/{claim_id}/documents", {"documents": papers}).status_code == 200
    town.insurers["I1"].fail("/documents$", drop="after")
    town.drain_all("claim.send_documents")
    town.drain_all("claim.send_documents", hurry=True)
    [*_, last] = journal(town, "I1", "/documents")
    second = json.loads(last["body"])["package"]
    assert second["manifest"]["previous_root"] == first["manifest"]["root"]
    assert second["manifest"]["changes"] == {"added": [], "changed": ["supplements"], "removed": []}
    assert check(town, tmp_path, first, second) == OK
    key = ECKey.import_key(own_key(town))
    assert {decrypt(text, key) for text in second["attachments"].values()} == {b64decode(t) for t in _FILES.values()}
    assert [decrypt(text, key) for text in first["attachments"].values()] == [b64decode(PAPER["content_base64"])]
    rows = town.rows(
        "SELECT version, delivered_at IS NOT NULL FROM claim_package WHERE claim_id = :id ORDER BY 1", id=claim_id
    )
    assert [tuple(row) for row in rows] == [(1, True), (2, True)] and not town.dead()


_FILES = {kind: b64encode(f"%PDF-1.4 {kind}".encode()).decode() for kind in ("invoice", "report")}


def test_hundreds_of_lines_a_long_record_and_a_photograph_reach_the_insurer(town: Town, tmp_path: Any) -> None:
    who = town.insured()
    rows = bill_rows(f"{who.patient_no}-long", who.patient_no, [100] * 400)
    next(row for row in rows if row["type"] == "document")["data"]["text"] = "病" * 50_000
    town.push(rows)
    configure(town.insurers["I1"], delay_s=NEVER_S)
    town.policy(who)
    photo = b"%PDF-" + b"a" * 2_999_000
    paper = PAPER | {"kind": "invoice", "content_base64": b64encode(photo).decode()}
    claim_id = town.claim(who, [town.bill_id(f"{who.patient_no}-long")], documents=[paper])
    town.drain_all("claim.assemble", "claim.verify", "claim.deliver")
    assert town.status(claim_id) == "adjudicating"
    package = delivered(town, claim_id)
    assert check(town, tmp_path, package) == OK
    key = ECKey.import_key(own_key(town))
    assert [decrypt(text, key) for text in package["attachments"].values()] == [photo]
    say(town, "claim.export_asked", {"claim_no": number(town, claim_id), "format": "fhir"})
    bundle: Any = Bundle.model_validate_json(decrypt(fed(town, "claim.export", claim_id)[-1]["encrypted"], key))
    claim = next(one.resource for one in bundle.entry if one.resource.__resource_type__ == "Claim")
    assert len(claim.item) == 400


@pytest.mark.parametrize(("limit", "most"), [("app.claim.versions.MAX_BYTES", 1_000), ("app.claim.rules.MAX_LINES", 1)])
def test_more_than_an_insurer_has_to_open_or_can_decide_ends_the_claim_and_says_so(
    town: Town, monkeypatch: pytest.MonkeyPatch, limit: str, most: int
) -> None:
    monkeypatch.setattr(limit, most)
    who = town.insured()
    town.policy(who)
    bill_id = town.bill(who, (6_000, 4_000))
    claim_id = town.claim(who, [bill_id])
    town.drain_all("claim.assemble", "claim.verify", "claim.deliver")
    found = who.get(f"/claims/{claim_id}")
    assert (found["status"], found["reasons"][0]["code"]) == ("ineligible", "package_too_large")
    assert "请直接联系保险公司" in found["reasons"][0]["text"] and not town.dead()
    assert guards(town, claim_id) == 0 and clearing_rows(town, claim_id) == [("pay", False, False, None)]


def test_an_export_that_no_message_holds_is_refused(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    claim_id = at_the_insurer(town, town.insured())
    monkeypatch.setattr("app.claim.export.MAX_BYTES", 1_000)
    say(town, "claim.export_asked", {"claim_no": number(town, claim_id), "format": "fhir"})
    last = changes(town)[-1]
    assert (last["type"], last["data"]["code"]) == ("message.refused", "export_too_large")


def test_after_the_decision_nothing_is_added(town: Town) -> None:
    who = town.insured()
    claim_id = at_the_insurer(town, who)
    say(town, "claim.documents_requested", ask(town, claim_id))
    papers = [PAPER | {"kind": kind} for kind in _FILES]
    assert who.post(f"/claims/{claim_id}/documents", {"documents": papers}).status_code == 200
    adjudicate(town, claim_id)
    before = len(journal(town, "I1", "/documents"))
    town.drain_all("claim.send_documents")
    assert town.value("SELECT count(*) FROM claim_package WHERE claim_id = :id", id=claim_id) == 1
    assert len(journal(town, "I1", "/documents")) == before and not town.dead()


def test_a_decision_that_was_faster_than_the_documents_ends_their_way(town: Town) -> None:
    who = town.insured()
    claim_id = at_the_insurer(town, who)
    say(town, "claim.documents_requested", ask(town, claim_id))
    book = town.insurers["I1"].book
    book.save(book.case(number(town, claim_id)) | {"state": "decided", "documents_request_no": "R1"})
    papers = [PAPER | {"kind": kind} for kind in _FILES]
    assert who.post(f"/claims/{claim_id}/documents", {"documents": papers}).status_code == 200
    town.drain_all("claim.send_documents")
    assert book.case(number(town, claim_id))["documents"] == [] and not town.dead()
    undelivered = "SELECT count(*) FROM claim_package WHERE claim_id = :id AND delivered_at IS NULL"
    assert town.value(undelivered, id=claim_id) == 1


@pytest.mark.parametrize("wanted", ["fhir", "package"])
def test_an_insurer_may_ask_for_its_package_again(town: Town, tmp_path: Any, wanted: str) -> None:
    claim_id = at_the_insurer(town, town.insured())
    asked = {"claim_no": number(town, claim_id), "format": wanted}
    say(town, "claim.export_asked", asked, code="I1")
    say(town, "claim.export_asked", asked, code="I2")
    answer = changes(town)[-1]["data"]
    assert (answer["claim_no"], answer["format"], answer["package_version"]) == (asked["claim_no"], wanted, 1)
    if wanted == "fhir":
        bundle: Any = Bundle.model_validate_json(decrypt(answer["encrypted"], ECKey.import_key(own_key(town))))
        assert bundle.identifier.value == f"{asked['claim_no']}/1"
    else:
        assert check(town, tmp_path, answer["package"]) == OK
    refused = changes(town, "I2")[-1]
    assert refused["type"] == "message.refused" and asked["claim_no"] not in json.dumps(refused)


def test_an_insurer_changes_its_key_without_a_pause(town: Town, tmp_path: Any) -> None:
    newer = make_package_key()
    insurer, runner = town.insurers["I2"], town.clinic.client.application.test_cli_runner()
    file = tmp_path / "key.json"
    file.write_text(json.dumps(newer["public"]))
    told = runner.invoke(partner, ["package-key", "I2", str(file)])
    assert told.exit_code == 0 and len(told.output.strip()) == 43
    file.write_text(json.dumps(ECKey.generate_key("P-256").as_dict(private=True)))
    assert runner.invoke(partner, ["package-key", "I2", str(file)]).exit_code == 1
    insurer.book.keyring.add(newer["private_key_pem"])
    claim_id = at_the_insurer(town, town.insured(), code="I2")
    written = runner.invoke(package_command, ["write", number(town, claim_id)])
    assert check(town, tmp_path, json.loads(written.output), private=newer["private_key_pem"]) == OK
    assert check(town, tmp_path, json.loads(written.output), private=own_key(town, "I2")) == ALTERED


def test_without_a_key_nothing_is_shared(town: Town) -> None:
    who = town.insured()
    town.policy(who)
    configure(town.insurers["I1"])
    claim_id = town.claim(who, [town.bill(who)])
    kept = town.rows("SELECT id, package_key FROM party WHERE code = 'I1'")[0]
    town.rows("UPDATE party SET package_key = NULL WHERE code = 'I1'")
    town.drain_all("claim.assemble", "claim.verify", "claim.deliver")
    assert town.status(claim_id) == "verified"
    receipts = "SELECT count(*) FROM consent_receipt WHERE subject_id = :id AND occasion = 'package'"
    assert town.value(receipts, id=claim_id) == 0
    restored = json.dumps(kept.package_key)
    town.rows("UPDATE party SET package_key = CAST(:key AS jsonb) WHERE code = 'I1'", key=restored)
    town.drain_all("claim.deliver", hurry=True)
    assert town.status(claim_id) != "verified" and not town.dead()
