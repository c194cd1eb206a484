"""The refusal letter (拒赔通知书, Insurance Law of the PRC, article 24): to every decision that refuses, in whole or in
part, with all its reasons; sealed, and the patient's to download."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import Any
from uuid import UUID

from app.claim import clocks, dialects, versions
from app.claim.letter_paper import TITLES
from app.claim.models.claims import Claim
from app.claim.models.decisions import Decision, DecisionLine, RefusalLetter
from app.claim.queries import lookup, outcomes
from app.claim.steps import get, tell
from app.core.db import Checked
from app.core.errors import NotFound
from app.core.privacy import mask_number
from app.core.work import Work
from app.exchange import service as exchange
from app.identity import service as identity
from app.record import queries as record

WHY = "refusal letter"


def wanted(work: Work, row: Claim, decision: Decision) -> None:
    """A decision was made: if it refuses, its letter is due."""
    if decision.outcome not in TITLES:
        return
    if lookup.running_clock(work.session, row.id, "letter") is None:
        clocks.start(work, row, "letter")
    work.later("claim.issue_letter", decision.id)


def to_say(work: Work, decision_id: UUID) -> dict[str, Any] | None:
    """What the letter to a decision says, for letter_paper.draw; None if it was issued before. Tampered if the decision
    was changed behind the program's back."""
    decision, row = _decided(work, decision_id)
    if outcomes.letter_of(work.session, decision.id) is not None:
        return None
    lines = outcomes.decision_lines(work.session, decision.id)
    decided: list[Checked] = [decision, *lines]
    for checked in decided:
        checked.require_check(work.privacy)
    return _said(work, row, decision, lines)


def issue(work: Work, decision_id: UUID, content: bytes) -> None:
    """Keep the letter, once, and tell the patient that it is there and the insurer what was sent in its name."""
    decision, row = _decided(work, decision_id)
    if outcomes.letter_of(work.session, decision.id) is not None:
        return
    letter = RefusalLetter(claim_id=row.id, decision_id=decision.id, title=TITLES[decision.outcome], issued_at=work.now)
    letter.sha256 = sha256(content).hexdigest()
    work.seal(letter, "content_sealed", b64encode(content).decode())
    work.add(letter)
    work.session.flush()
    if not outcomes.owes_letter(work.session, row.id, tuple(TITLES)):
        clocks.stop(work, row, "letter")
    _send(work, row, decision, letter)


def _decided(work: Work, decision_id: UUID) -> tuple[Decision, Claim]:
    """A decision, and its claim locked."""
    decision = work.session.get(Decision, decision_id)
    if decision is None:
        raise NotFound
    return decision, get(work, decision.claim_id)


def _send(work: Work, row: Claim, decision: Decision, letter: RefusalLetter) -> None:
    work.audit("claim.letter_issued", "claim", row.id, decision_no=decision.decision_no, sha256=letter.sha256)
    tell(work, row, "refusal_letter", {"no": row.no}, decision.decision_no)
    told = {
        "claim_no": row.no,
        "decision_no": decision.decision_no,
        "title": letter.title,
        "sha256": letter.sha256,
        "issued_at": letter.issued_at.isoformat(),
    }
    exchange.publish(work, row.insurer_id, "claim.refusal_letter", told)


def read(work: Work, account_id: UUID, claim_id: UUID, letter_id: UUID) -> bytes:
    """The PDF, for the patient whose claim it is about; the reading is audited. NotFound for anybody else."""
    row, letter = lookup.claim(work.session, claim_id), work.session.get(RefusalLetter, letter_id)
    if row is None or row.account_id != account_id or letter is None or letter.claim_id != row.id:
        raise NotFound
    return b64decode(work.reveal(letter, "content_sealed", "patient's download"))


def _said(work: Work, row: Claim, decision: Decision, lines: Sequence[DecisionLine]) -> dict[str, Any]:
    """What the letter shows, as plain values by group."""
    person, policy = identity.facts(work, row.person_id, WHY), lookup.policy_of(work.session, row)
    return {
        "outcome": decision.outcome,
        "claim_no": row.no,
        "case_no": row.case_no,
        "decision_no": decision.decision_no,
        "decided_at": decision.decided_at,
        "issued_at": work.now,
        "insurer_name": exchange.party(work.session, row.insurer_id).name,
        "hospital_name": exchange.party(work.session, row.hospital_id).name,
        "product_name": policy.product_name,
        "policy_no": policy.policy_no,
        "insured_name": person.name,
        "document_type": person.document_type,
        "document_no": mask_number(person.document_no),
        "submitted_at": row.submitted_at,
        "asked_fen": row.asked_fen,
        "approved_fen": decision.approved_fen,
        "lines": _lines(work, row, lines),
        "appeal_until": row.accept_by if _may_appeal(work, row) else None,
    }


def _may_appeal(work: Work, row: Claim) -> bool:
    return outcomes.appeal(work.session, row.id) is None and dialects.hears_appeals(work.session, row.insurer_id)


def _lines(work: Work, row: Claim, lines: Sequence[DecisionLine]) -> list[dict[str, Any]]:
    """The decided lines with what the hospital calls them."""
    clearings = [r for r in lookup.bills(work.session, row.id) if r.kind == "pay"]
    numbers = {r.bill_id: r.clearing_no for r in clearings}
    bill_nos = {numbers[bill.id]: bill.bill_no for bill in record.bills(work.session, list(numbers))}
    bills = versions.compare_bills(work, row, clearings)
    names = {(number, line.line_no): line.name for number, bill in bills.items() for line in bill.shown.lines}
    return [
        {
            "bill_no": bill_nos[line.clearing_no],
            "name": names[line.clearing_no, line.line_no],
            "billed_fen": line.billed_fen,
            "approved_fen": line.approved_fen,
            "reasons": [reason["text"] for reason in line.reasons],
        }
        for line in lines
    ]
