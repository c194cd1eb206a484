"""The versions of a claim's package: the first when the claim is complete, a further one with the documents that the
insurer has asked for, as long as it has not decided. Each is sealed once and names the one before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from app.claim import consents, content, documents, medical, package, rules, shown
from app.claim.encryption import for_insurer
from app.claim.models.claims import Claim, ClaimBill
from app.claim.models.packages import ClaimPackage
from app.claim.queries import lookup
from app.claim.states import UNDECIDED
from app.claim.steps import get
from app.core.jwe import MAX_BYTES
from app.core.work import Work
from app.exchange import service as exchange
from app.record import queries as record


def seal_first(work: Work, row: Claim, clearings: Sequence[ClaimBill]) -> ClaimPackage | None:
    """Freeze, hash and sign what is known now. None if that is more than an insurer has to open or can decide."""
    head, parts = package.Head(row.no, work.now), content.parts(work, row, clearings)
    made = package.seal(head, parts, work.signing.current)
    if _is_too_large(made):
        return None
    digests = {part["clearing_no"]: shown.of_part(part).sha256 for part in parts["bills"]}
    for clearing in clearings:
        clearing.shown_sha256 = digests[clearing.clearing_no]
    return _keep(work, row, made)


def _is_too_large(made: Mapping[str, Any]) -> bool:
    lines = sum(len(bill["lines"]) for bill in made["parts"]["bills"])
    return lines > rules.MAX_LINES or sum(part["bytes"] for part in made["manifest"]["parts"]) > MAX_BYTES


def seal_next(work: Work, claim_id: UUID, request_id: UUID) -> ClaimPackage | None:
    """The version with what the patient has sent on this request, and what the hospital has added to its records since;
    everything else stays as it was frozen. None if the insurer has decided meanwhile, or claim or consent was
    withdrawn."""
    row = get(work, claim_id)
    known = lookup.package_for(work.session, claim_id, request_id)
    if known is not None:
        return known
    if row.status not in UNDECIDED or not consents.renew(work, row):
        work.audit("claim.documents_kept", "claim", claim_id)
        documents.arrived(work, claim_id)
        return None
    last = lookup.latest_package(work.session, claim_id)
    assert last is not None
    before = read(work, last, "next version")
    bill_ids = [clearing.bill_id for clearing in lookup.bills(work.session, claim_id)]
    visits = {bill.visit_id: bill.visit_key for bill in record.bills(work.session, bill_ids)}
    added = {
        "documents": medical.documents(work, visits),
        "supplements": content.supplements(work.session, claim_id),
    }
    head = package.Head(row.no, work.now, before["manifest"])
    return _keep(work, row, package.seal(head, before["parts"] | added, work.signing.current), request_id)


def read(work: Work, sealed: ClaimPackage, why: str) -> dict[str, Any]:
    """Manifest and plain parts; the reading is audited."""
    work.audit("read.claim_package.content_sealed", "claim_package", sealed.id, why=why)
    found: dict[str, Any] = work.privacy.open_json(sealed.content_sealed, _where(sealed))
    return found


def compare_bills(work: Work, row: Claim, clearings: Sequence[ClaimBill]) -> dict[str, shown.Compared]:
    """The bills as the insurer was shown them and as they are, by clearing number. The package is opened only if the
    hospital has amended one since."""
    current = shown.as_they_are(work.session, [clearing.bill_id for clearing in clearings])
    same = {r.clearing_no for r in clearings if current[r.bill_id].bill.sha256 == r.shown_sha256}
    before = {} if len(same) == len(clearings) else _first_shown(work, row)
    found = {}
    for clearing in clearings:
        number, now = clearing.clearing_no, current[clearing.bill_id]
        if number in same:
            found[number] = shown.Compared(now.bill, None)
        else:
            found[number] = shown.Compared(before[number], now.bill if now.holds else None)
    return found


def _first_shown(work: Work, row: Claim) -> dict[str, shown.Bill]:
    first = lookup.package_for(work.session, row.id, None)
    assert first is not None
    return {part["clearing_no"]: shown.of_part(part) for part in read(work, first, "amended bill")["parts"]["bills"]}


def to_insurer(work: Work, row: Claim, sealed: ClaimPackage, why: str) -> dict[str, Any]:
    """The package with the files that came with this version, encrypted to the insurer's key of today; in plain text
    for an insurer whose dialect carries no package, to be put into that dialect's messages."""
    plain = read(work, sealed, why)
    key = exchange.package_key(work.session, row.insurer_id)
    if key is None:
        return plain
    files = documents.contents(work, row.id, sealed.request_id)
    return for_insurer(plain, files, key, work.signing.current)


def _keep(work: Work, row: Claim, content: Mapping[str, Any], request_id: UUID | None = None) -> ClaimPackage:
    manifest = content["manifest"]
    sealed = ClaimPackage(
        claim_id=row.id,
        version=manifest["package_version"],
        request_id=request_id,
        root=manifest["root"],
        previous_root=manifest["previous_root"],
        signature=manifest["signature"],
    )
    sealed.content_sealed = work.privacy.seal_json(content, _where(sealed))
    work.add(sealed)
    return sealed


def _where(sealed: ClaimPackage) -> str:
    return f"claim_package:content_sealed:{sealed.id}"
