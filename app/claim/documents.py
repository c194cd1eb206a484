"""Missing documents: what the insurer asks for, once and all at once, and what the patient sends."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from app.claim import clocks, consents, rules
from app.claim.contracts import partners
from app.claim.contracts import people as c
from app.claim.models.claims import Claim
from app.claim.models.packages import ClaimDocument, DocumentRequest
from app.claim.queries import lookup
from app.claim.states import UNDECIDED, State
from app.claim.steps import advance, get, mine, not_open, of_insurer, require_not_early, tell
from app.core.errors import Conflict, Forbidden, Invalid
from app.core.work import Work
from app.exchange import service as exchange

# How a file of each kind begins: ISO/IEC 10918-1, RFC 2083, ISO 32000.
BEGINNINGS = {"image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n", "application/pdf": b"%PDF-"}


def requested(work: Work, insurer_id: UUID, said: partners.DocumentsRequestedIn) -> None:
    """The insurer needs documents: the clock pauses while the patient supplements. The same request twice is one.
    Invalid for a claim that is decided or has ended.

    What is missing is asked for once and all at once (Insurance Law of the PRC, article 22): a further request needs a
    reason and a supervisor, and the one before must have ended; Invalid otherwise."""
    row = of_insurer(work, insurer_id, said.claim_no)
    before = lookup.document_requests(work.session, row.id)
    if said.request_no in {request.request_no for request in before}:
        return
    if before and row.status in UNDECIDED:
        _require_reason(row, said)
    if not advance(work, row, "ask_documents", clock_paused_since=row.clock_paused_since or work.now):
        require_not_early(row)
        raise not_open(row)
    deadline = _deadline(work, insurer_id, said)
    further = {"reason": said.reason, "supervisor": said.supervisor} if before else {}
    items = [item.model_dump() for item in said.items]
    work.add(DocumentRequest(claim_id=row.id, request_no=said.request_no, items=items, deadline=deadline, **further))
    tell(work, row, "documents_requested", {"no": row.no}, said.request_no)
    work.later("claim.documents_late", row.id, run_at=deadline)


def _deadline(work: Work, insurer_id: UUID, said: partners.DocumentsRequestedIn) -> datetime:
    """The one that the insurer names, or else the latest that was agreed. Invalid for one that has passed, and for a
    later one: for so long the decision's clock may stand still."""
    latest = clocks.due(work.now, clocks.terms(work, insurer_id).documents)
    if said.deadline is None:
        return latest
    if not work.now < said.deadline <= latest:
        told = f"<= {latest.isoformat()}"
        raise Invalid("deadline_unfitting", "补充材料的期限应在今后，且不晚于约定的天数", fields={"deadline": told})
    return said.deadline


def _require_reason(row: Claim, said: partners.DocumentsRequestedIn) -> None:
    if row.status == State.NEEDS_DOCUMENTS:
        raise Invalid("documents_still_asked", "上一次要求的材料尚未补齐，不能再次要求")
    missing = {name: "missing" for name in ("reason", "supervisor") if getattr(said, name) is None}
    if missing:
        raise Invalid("second_request", "材料应一次性要求；再次要求须说明理由并经主管批准", fields=missing)


def late(work: Work, claim_id: UUID) -> None:
    """The deadline of what is asked for has passed: the insurer, which is told, decides on what it has."""
    row = get(work, claim_id)
    request = _open_request(work, row)
    if request is not None and request.deadline <= work.now and advance(work, row, "documents_late"):
        clocks.resume(work, row)
        told = {"claim_no": row.no, "case_no": row.case_no, "request_no": request.request_no}
        exchange.publish(work, row.insurer_id, "claim.documents_late", told)


def send(work: Work, account_id: UUID, claim_id: UUID, sent: c.SendDocuments) -> Claim:
    """Everything that was asked for, in one go: the insurer gets the files, and with them the clock runs again."""
    row = mine(work, account_id, claim_id)
    request = _open_request(work, row)
    if row.status != State.NEEDS_DOCUMENTS or request is None:
        raise Conflict("no_documents_asked", "目前没有需要补充的材料")
    if not consents.cover(work, row, rules.IN_PACKAGE):
        raise Forbidden("no_consent", "您已撤回向该保险公司提供信息的同意，请重新同意后再补充材料")
    missing = {item["kind"] for item in request.items} - {document.kind for document in sent.documents}
    if missing:
        texts = {item["kind"]: item["text"] for item in request.items}
        raise Invalid("documents_incomplete", "还缺少材料，请一次补齐", fields={k: texts[k] for k in sorted(missing)})
    keep(work, row, sent.documents, request.id)
    request.answered_at = work.now
    advance(work, row, "documents_sent")
    work.later("claim.send_documents", row.id, args={"request_id": str(request.id)})
    return row


def arrived(work: Work, claim_id: UUID) -> None:
    """The insurer has what the patient sent, or will never get it: the clock runs again, unless more is asked for."""
    row = get(work, claim_id)
    if row.status != State.NEEDS_DOCUMENTS:
        clocks.resume(work, row)


def keep(
    work: Work, row: Claim, documents: Iterable[c.DocumentIn], request_id: UUID | None = None
) -> list[ClaimDocument]:
    """Store the patient's files, sealed. Invalid if one is not what base64 or its media type promises."""
    kept = []
    for given in documents:
        try:
            content = b64decode(given.content_base64, validate=True)
        except ValueError as error:
            raise Invalid("document_unreadable", "文件内容无法读取，请重新上传") from error
        if not content.startswith(BEGINNINGS[given.media_type]):
            raise Invalid("document_unfitting", "文件内容与类型不符，请上传 JPEG、PNG 图片或 PDF 文件")
        document = ClaimDocument(
            claim_id=row.id,
            request_id=request_id,
            kind=given.kind,
            title=given.title,
            media_type=given.media_type,
            sha256=sha256(content).hexdigest(),
        )
        work.seal(document, "content_sealed", given.content_base64)
        work.add(document)
        kept.append(document)
    return kept


def to_send(work: Work, claim_id: UUID, request_id: UUID) -> dict[str, object]:
    """The body of one answer to a request for documents; each file's reading is audited."""
    request = work.session.get(DocumentRequest, request_id)
    assert request is not None and request.claim_id == claim_id
    return {"request_no": request.request_no, "documents": files(work, claim_id, request_id)}


def files(work: Work, claim_id: UUID, request_id: UUID | None) -> list[dict[str, str]]:
    """The files sent on a request, without one those sent with the claim: kind, title, SHA-256 and content; each file's
    reading is audited."""
    return [
        {
            **{name: getattr(document, name) for name in ("kind", "title", "sha256")},
            "content_base64": work.reveal(document, "content_sealed", "documents for the insurer"),
        }
        for document in lookup.documents_of_claim(work.session, claim_id)
        if document.request_id == request_id
    ]


def contents(work: Work, claim_id: UUID, request_id: UUID | None) -> dict[str, bytes]:
    """SHA-256 -> bytes of the same files."""
    return {file["sha256"]: b64decode(file["content_base64"]) for file in files(work, claim_id, request_id)}


def _open_request(work: Work, row: Claim) -> DocumentRequest | None:
    """The newest one that has no answer yet."""
    unanswered = [r for r in lookup.document_requests(work.session, row.id) if r.answered_at is None]
    return unanswered[-1] if unanswered else None
