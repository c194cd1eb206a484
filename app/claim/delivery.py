"""Handing a claim over: sealed once under the patient's consent, delivered until the insurer has it, booked then.

Nothing is booked before the insurer has taken the package in. So a claim that was refused or withdrawn before stands in
nobody's books, and one that was withdrawn meanwhile stands in all three with its reversal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from app.claim import consents, documents, e_bills, rules, versions, waiting
from app.claim.assembly import end_ineligible, why_dead
from app.claim.models.claims import Claim, ClaimBill
from app.claim.models.packages import ClaimPackage
from app.claim.queries import lookup
from app.claim.states import State
from app.claim.steps import advance, get, lock_bills
from app.claim.withdrawal import give_back, reverse
from app.core.work import Work
from app.exchange import service as exchange
from app.record import queries as record


def seal_package(work: Work, claim_id: UUID) -> ClaimPackage | None:
    """Freeze, hash and sign the claim's content, or the package that was sealed before. None if nothing is to be
    delivered: any more, or until an earlier claim on the same bill is decided (app.claim.waiting).

    The bills are looked at once more: what has changed since the claim was made counts.
    """
    row = get(work, claim_id)
    old = lookup.package_for(work.session, row.id, None)
    if old is not None:
        return old
    if row.status != State.VERIFIED:
        return None
    exchange.package_key(work.session, row.insurer_id)  # without one nothing is sealed
    clearings = lookup.bills(work.session, row.id)
    lock_bills(work, [clearing.bill_id for clearing in clearings])
    if waiting.must_wait(work, row, clearings) or not _bring_up_to_date(work, row, clearings):
        return None
    if not consents.renew(work, row):
        give_back(work, row, "consent_withdrawn")
        return None
    sealed = versions.seal_first(work, row, clearings)
    if sealed is None:
        end_ineligible(work, row, "package_too_large")
        return None
    advance(work, row, "deliver")
    return sealed


def _bring_up_to_date(work: Work, row: Claim, clearings: Sequence[ClaimBill]) -> bool:
    """What the patient bore may have changed with a newer version of the bill; False if that ends the claim."""
    bills = record.bills(work.session, [clearing.bill_id for clearing in clearings])
    dead = why_dead(bills)
    if dead is not None:
        end_ineligible(work, row, dead)
        return False
    borne = {bill.id: bill.borne_fen for bill in bills}
    for clearing in clearings:
        clearing.borne_fen = borne[clearing.bill_id]
    left = {r.bill_id: e_bills.left_fen(work, r.bill_id, r.borne_fen, but=row.id) for r in clearings}
    if max(left.values()) <= 0:
        end_ineligible(work, row, "borne_used_up")
        return False
    row.asked_fen = sum(max(0, amount_fen) for amount_fen in left.values())
    return True


def to_deliver(work: Work, claim_id: UUID, package_id: UUID) -> dict[str, Any] | None:
    """The body of a delivery, with its receipt; the reading of the package is audited. An insurer whose dialect carries
    no package gets the patient's files beside it.

    None if claim or consent was withdrawn before the package can have reached the insurer: then it stays here. After
    that only the insurer's answer tells whether there is something to reverse.
    """
    row, sealed = get(work, claim_id), work.session.get(ClaimPackage, package_id)
    assert sealed is not None
    if sealed.sent_at is None:
        if row.status != State.DELIVERING:
            return None
        if not consents.share(work, row, "package", rules.IN_PACKAGE, str(sealed.version)):
            give_back(work, row, "consent_withdrawn")
            return None
        sealed.sent_at = work.now
    body = {
        "claim_no": row.no,
        "policy_no": row.policy_no,
        "package": versions.to_insurer(work, row, sealed, "delivery to the insurer"),
        "remainders": _remainders(work, claim_id),
    }
    if exchange.package_key(work.session, row.insurer_id) is None:
        body["documents"] = documents.files(work, claim_id, None)
    return body


def not_reached(work: Work, package_id: UUID) -> None:
    """The insurer certainly has not got it: it may still be kept back."""
    sealed = work.session.get(ClaimPackage, package_id)
    assert sealed is not None
    sealed.sent_at = None


def documents_to_tell(work: Work, claim_id: UUID, package_id: UUID) -> dict[str, Any] | None:
    """The answer to a request for documents: the package's next version, with the files, and the receipt of it. An
    insurer whose dialect carries no package gets the files alone. None if a consent was withdrawn."""
    row, sealed = get(work, claim_id), work.session.get(ClaimPackage, package_id)
    assert sealed is not None and sealed.request_id is not None
    if not consents.share(work, row, "package_version", rules.IN_PACKAGE, str(sealed.version)):
        work.audit("claim.documents_kept", "claim", claim_id)
        documents.arrived(work, claim_id)
        return None
    if exchange.package_key(work.session, row.insurer_id) is None:
        return documents.to_send(work, claim_id, sealed.request_id)
    numbers = {request.id: request.request_no for request in lookup.document_requests(work.session, claim_id)}
    told = versions.to_insurer(work, row, sealed, "documents for the insurer")
    return {"request_no": numbers[sealed.request_id], "package": told}


def _remainders(work: Work, claim_id: UUID) -> list[dict[str, Any]]:
    """How much of each bill other policies have left over."""
    return [
        {"clearing_no": r.clearing_no, "max_fen": max(0, e_bills.left_fen(work, r.bill_id, r.borne_fen, but=claim_id))}
        for r in lookup.bills(work.session, claim_id)
        if r.kind == "pay"
    ]


def delivered(work: Work, claim_id: UUID, package_id: UUID, case_no: str) -> None:
    """The insurer has taken the package in and opened a case: the rows count, and the hospital is told their numbers.
    What was withdrawn meanwhile is reversed at once."""
    row = get(work, claim_id)
    note_delivered(work, package_id)
    row.case_no = row.case_no or case_no
    book(work, lookup.bills(work.session, row.id))
    if row.status == State.WITHDRAWN:
        reverse(work, row)
    else:
        advance(work, row, "delivered")


def note_delivered(work: Work, package_id: UUID) -> None:
    sealed = work.session.get(ClaimPackage, package_id)
    assert sealed is not None
    sealed.delivered_at = sealed.delivered_at or work.now


def refused(work: Work, claim_id: UUID, code: str) -> None:
    """The insurer will not take the package: the claim ends, and stands in nobody's books."""
    text = {"code": code, "text": rules.TEXTS["package_refused"]}
    end_ineligible(work, get(work, claim_id), "package_refused", [text])


def book(work: Work, clearings: Sequence[ClaimBill]) -> None:
    """These rows count from now on, and the hospital's agent is told their numbers."""
    keys = {bill.id: bill.key for bill in record.bills(work.session, [r.bill_id for r in clearings])}
    for clearing in clearings:
        if clearing.booked_at is not None:
            continue
        clearing.booked_at = work.now
        body = {
            "clearing_no": clearing.clearing_no,
            "kind": clearing.kind,
            "original_clearing_no": clearing.original_clearing_no,
            "bill_key": keys[clearing.bill_id],
            "business_date": clearing.business_date.isoformat(),
        }
        exchange.command(work, clearing.hospital_id, "clearing", body, lane="clearing", subject=clearing.id)
