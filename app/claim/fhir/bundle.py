"""The bundle of a package (https://hl7.org/fhir/R4B): a collection, in which every reference is to another entry's
`urn:uuid:…`. `checks.py` says whether references and sums hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.claim.fhir import money, papers, people
from app.claim.fhir.elements import Entries, Resource, identifier


def bundle(package: Mapping[str, Any]) -> Resource:
    """{"manifest", "parts"} in plain text → a Bundle."""
    manifest, parts = package["manifest"], package["parts"]
    made = Entries(manifest["claim_no"])
    people.people(made, parts)
    people.visits(made, parts)
    for bill in parts["bills"]:
        money.invoice(made, bill)
    papers.papers(made, parts)
    papers.consents(made, parts)
    money.claim(made, parts)
    _provenance(made, manifest)
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "identifier": identifier("claim-package", f"{made.claim_no}/{manifest['package_version']}"),
        "timestamp": manifest["signed_at"],
        "entry": [{"fullUrl": made.url(place), "resource": one} for place, one in made.resources.items()],
    }


def _provenance(made: Entries, manifest: Mapping[str, Any]) -> None:
    """Where all this comes from: the signed package, its parts by hash, its root, its signature."""
    made.add(
        "provenance", "Provenance",
        target=[made.to("claim")],
        recorded=manifest["signed_at"],
        agent=[{"who": {"display": "Zhipei"}}],
        entity=[
            {"role": "source", "what": {"identifier": identifier(f"part:{part['name']}", part["sha256"])}}
            for part in manifest["parts"]
        ] + [{"role": "revision", "what": {"identifier": identifier("root", manifest["root"])}}],
        signature=[{
            "type": [{"system": "urn:iso-astm:E1762-95:2013", "code": "1.2.840.10065.1.12.1.5"}],
            "when": manifest["signed_at"],
            "who": {"identifier": identifier("signing-key", manifest["key_id"])},
            "data": manifest["signature"],
        }],
    )  # fmt: skip
