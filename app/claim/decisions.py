"""What the insurer says: a case number, missing documents, a decision for every line. What the patient answers."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.claim import contracts as c
from app.claim import queries, rules
from app.claim.assembly import get, release_bills
from app.claim.models import Appeal, Claim, ClaimBill, Decision, DecisionLine, DocumentRequest
from app.claim.states import State
from app.claim.submission import advance, book, keep_documents, left_to_claim, lock_bills
from app.core.errors import Conflict, Invalid, LostRace, NotFound
from app.core.ids import clearing_number
from app.core.sequence import next_no
from app.core.work import Work
from app.notification import service as notification
from app.record import queries as record


def case_opened(work: Work, insurer_id: UUID, said: c.CaseOpenedIn) -> None:
    row = _of_insurer(work, insurer_id, said.claim_no)
    row.case_no = row.case_no or said.case_no


def documents_requested(work: Work, insurer_id: UUID, said: c.DocumentsRequestedIn) -> None:
    """The insurer needs documents: the clock pauses while the patient supplements. The same request twice is one."""
    row = _of_insurer(work, insurer_id, said.claim_no)
    if said.request_no in {r.request_no for r in queries.document_requests(work.session, row.id)}:
        return
    if not advance(work, row, "ask_documents", clock_paused_since=work.now):
        _require_not_early(row)
        return
    items = [item.model_dump() for item in said.items]
    work.add(DocumentRequest(claim_id=row.id, request_no=said.request_no, items=items, deadline=said.deadline))
    tell(work, row, "documents_requested", {"no": row.no}, said.request_no)
    if said.deadline is not None:
        work.later("claim.documents_late", row.id, run_at=said.deadline)


def documents_late(work: Work, claim_id: UUID) -> None:
    """The deadline has passed: the insurer decides on what it has."""
    advance(work, get(work, claim_id), "documents_late", clock_paused_since=None)


def send_documents(work: Work, account_id: UUID, claim_id: UUID, sent: c.SendDocuments) -> Claim:
    """Everything that was asked for, in one go: the clock runs again and the insurer gets the files."""
    row = mine(work, account_id, claim_id)
    open_requests = [r for r in queries.document_requests(work.session, row.id) if r.answered_at is None]
    if row.status != State.NEEDS_DOCUMENTS or not open_requests:
        raise Conflict("no_documents_asked", "目前没有需要补充的材料")
    request = open_requests[-1]
    missing = {item["kind"] for item in request.items} - {document.kind for document in sent.documents}
    if missing:
        texts = {item["kind"]: item["text"] for item in request.items}
        raise Invalid("documents_incomplete", "还缺少材料，请一次补齐", fields={k: texts[k] for k in sorted(missing)})
    keep_documents(work, row, sent.documents, request.id)
    request.answered_at = work.now
    if not advance(work, row, "documents_sent", clock_paused_since=None):
        raise LostRace("claim", "documents_sent", [row.id])
    work.later("claim.send_documents", row.id, args={"request_id": str(request.id)})
    return row


def documents_of(work: Work, claim_id: UUID, request_id: UUID) -> dict[str, object]:
    """The body of one answer to a request for documents; each file's reading is audited."""
    request = work.session.get(DocumentRequest, request_id)
    assert request is not None and request.claim_id == claim_id
    return {
        "request_no": request.request_no,
        "documents": [
            {
                "kind": document.kind,
                "title": document.title,
                "sha256": document.sha256,
                "content_base64": work.reveal(document, "content_sealed", "documents for the insurer"),
            }
            for document in queries.documents(work.session, request_id)
        ],
    }


def adjudicated(work: Work, insurer_id: UUID, said: c.AdjudicatedIn) -> None:
    """A decision: every line adds up, no bill is paid beyond what the patient bore, and a late one changes nothing.

    1. The same decision again is dropped; one for a claim that is not waiting for it (late) too.
    2. Lines belong to the claim's bills, and their sums are the decision's.
    3. Under the bills' locks: approved ≤ borne − what other policies approved.
    4. Decision, lines, clearing rows, state and notice in one transaction.
    """
    row = _of_insurer(work, insurer_id, said.claim_no)
    if queries.decision(work.session, row.id, said.decision_no) is not None:
        return
    if row.status not in (State.ADJUDICATING, State.APPEALED):
        _require_not_early(row)
        return
    clearings = {b.clearing_no: b for b in queries.bills(work.session, row.id) if b.kind == "pay"}
    approved = _approved_by_bill(said, clearings)
    lock_bills(work, [clearing.bill_id for clearing in clearings.values()])
    for clearing_no, amount_fen in approved.items():
        clearing = clearings[clearing_no]
        if not 0 <= amount_fen <= left_to_claim(work, clearing.bill_id, clearing.borne_fen, but=row.id):
            raise Invalid("over_approved", "核赔金额超过个人负担的余额")
        clearing.approved_fen = amount_fen
    _keep_decision(work, row, said)
    row.case_no = row.case_no or said.case_no
    row.approved_fen = said.approved_fen
    event = "reject" if said.outcome == "rejected" else "approve"
    appeal = queries.appeal(work.session, row.id)
    if appeal is not None and appeal.decided_at is None:
        appeal.decided_at = work.now
    accept_by = work.now + rules.ACCEPT_AFTER
    advance(work, row, event, accept_by=accept_by)
    work.later("claim.silence", row.id, run_at=accept_by)
    tell(work, row, "claim_decided", {"no": row.no}, said.decision_no)
    work.emit("claim.decided", row.id)


def _approved_by_bill(said: c.AdjudicatedIn, clearings: dict[str, ClaimBill]) -> dict[str, int]:
    sums = dict.fromkeys(clearings, 0)
    for line in said.lines:
        if line.clearing_no not in sums:
            raise Invalid("line_unknown", "核赔明细不属于该理赔")
        if not rules.line_adds_up(
            covered_fen=line.covered_fen,
            deductible_fen=line.deductible_fen,
            ratio=line.ratio,
            approved_fen=line.approved_fen,
        ):
            raise Invalid("line_does_not_add_up", "核赔明细金额不合理")
        sums[line.clearing_no] += line.approved_fen
    if sum(sums.values()) != said.approved_fen or (said.outcome == "rejected") != (said.approved_fen == 0):
        raise Invalid("decision_does_not_add_up", "核赔金额与明细之和不符")
    return sums


def _keep_decision(work: Work, row: Claim, said: c.AdjudicatedIn) -> None:
    decision = Decision(
        claim_id=row.id,
        decision_no=said.decision_no,
        supersedes=said.supersedes,
        outcome=said.outcome,
        approved_fen=said.approved_fen,
        decided_at=work.now,
    )
    work.add(decision)
    work.session.flush()
    work.add(
        *(
            DecisionLine(decision_id=decision.id, **line.model_dump(exclude={"reasons"}),
                         reasons=[reason.model_dump() for reason in line.reasons])
            for line in said.lines
        )
    )  # fmt: skip


def accept(work: Work, account_id: UUID, claim_id: UUID) -> Claim:
    """The patient accepts: what was approved becomes payable."""
    row = mine(work, account_id, claim_id)
    if not _accept(work, row):
        raise LostRace("claim", "accept", [row.id])
    return row


def silence(work: Work, claim_id: UUID) -> None:
    """Nobody objected in time: an approved claim is accepted, a rejected one closed."""
    row = get(work, claim_id)
    if row.accept_by is not None and row.accept_by <= work.now and not _accept(work, row):
        advance(work, row, "close")


def _accept(work: Work, row: Claim) -> bool:
    if not advance(work, row, "accept"):
        return False
    work.later("claim.tell_acceptance", row.id)
    work.emit("claim.payable", row.id)
    return True


def appeal(work: Work, account_id: UUID, claim_id: UUID, wanted: c.AppealIn) -> Claim:
    """Object to one line or to all, once."""
    row = mine(work, account_id, claim_id)
    decision = queries.latest_decision(work.session, row.id)
    if decision is None:
        raise Conflict("not_decided", "还没有核赔结果，不能申诉")
    if queries.appeal(work.session, row.id) is not None:
        raise Conflict("appealed_before", "每个理赔只能申诉一次")
    known = {(line.clearing_no, line.line_no) for line in queries.decision_lines(work.session, decision.id)}
    lines = [(line.clearing_no, line.line_no) for line in wanted.lines]
    if not set(lines) <= known:
        raise Invalid("line_unknown", "没有找到要申诉的费用明细")
    if not advance(work, row, "appeal", accept_by=None):
        raise LostRace("claim", "appeal", [row.id])
    work.add(Appeal(claim_id=row.id, lines=[line.model_dump() for line in wanted.lines], reason=wanted.reason))
    work.later("claim.tell_appeal", row.id)
    return row


def withdraw(work: Work, account_id: UUID, claim_id: UUID) -> Claim:
    """Possible until the decision. What the insurer has booked is reversed under clearing numbers of its own."""
    row = mine(work, account_id, claim_id)
    if not _withdraw(work, row):
        raise Conflict("too_late_to_withdraw", "理赔已有结果或已结束，不能撤回")
    return row


def e_bills_reversed(work: Work, bill_ids: Sequence[UUID]) -> None:
    """A reversed e-bill is in no live claim: whatever is not decided yet is taken back, and the patient told."""
    for row in queries.claims_of_bills(work.session, bill_ids):
        if row.status != State.ASSEMBLING and _withdraw(work, row):
            tell(work, row, "claim_ineligible", {"no": row.no, "reason": rules.TEXTS["e_bill_reversed"]}, "reversed")


def _withdraw(work: Work, row: Claim) -> bool:
    if not advance(work, row, "withdraw"):
        return False
    booked = [b for b in queries.bills(work.session, row.id) if b.booked_at is not None]
    release_bills(work, row)
    if booked:
        _reverse(work, row, booked)
        work.later("claim.tell_withdrawal", row.id)
    work.emit("claim.withdrawn", row.id)
    return True


def _reverse(work: Work, row: Claim, originals: Sequence[ClaimBill]) -> None:
    today = work.clock.today()
    first = next_no(work.session, f"clearing:{today}", len(originals))
    keys = {bill.id: bill.key for bill in record.bills(work.session, [b.bill_id for b in originals])}
    for ordinal, original in enumerate(originals, first):
        reverse = ClaimBill(
            clearing_no=clearing_number(today, ordinal),
            business_date=today,
            ordinal=ordinal,
            kind="reverse",
            original_clearing_no=original.clearing_no,
            claim_id=row.id,
            bill_id=original.bill_id,
            hospital_id=original.hospital_id,
            insurer_id=original.insurer_id,
            borne_fen=original.borne_fen,
            live=False,
        )
        work.add(reverse)
        book(work, reverse, keys[original.bill_id])


def tell(work: Work, row: Claim, template: str, params: dict[str, str], mark: str) -> None:
    notification.notify(
        work, template, account_id=row.account_id, subject=row.id, params=params, dedupe=f"{template}:{row.id}:{mark}"
    )


def mine(work: Work, account_id: UUID, claim_id: UUID) -> Claim:
    row = queries.claim(work.session, claim_id)
    if row is None or row.account_id != account_id:
        raise NotFound
    return row


def _of_insurer(work: Work, insurer_id: UUID, claim_no: str) -> Claim:
    row = queries.claim_by_no(work.session, claim_no, insurer_id)
    if row is None:
        raise NotFound
    return row


def _require_not_early(row: Claim) -> None:
    """The insurer may answer before our own delivery has been noted: then its message waits for us."""
    if row.status in (State.VERIFIED, State.DELIVERING):
        raise LostRace("claim", "early message", [row.id])
