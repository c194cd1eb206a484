"""What patients do with claims."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING
from uuid import UUID

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from app.claim import answers, dialects, documents, letter, rules, submission, views, withdrawal
from app.claim.contracts import people as c
from app.claim.queries import lookup
from app.core.errors import NotFound
from app.core.work import Work
from app.exchange import service as exchange
from app.identity import service as identity
from app.record import queries as record
from app.record.queries import BillFacts
from app.web.answers import Download
from app.web.routes import command, door, download, question, refuses
from app.web.site import ACCOUNT, Caller

if TYPE_CHECKING:
    from app.claim.models.claims import Claim

bp = APIBlueprint("claim", __name__, url_prefix="/api/v1", tag="理赔")
MINE = door(ACCOUNT)
REFUSES_CLAIM = {
    404: ("person_unknown", "bill_not_found"),
    409: (
        "bill_unsettled", "bill_refused", "bill_zero", "bill_refunded", "e_bill_reversed", "bill_claimed",
        "borne_used_up", "insurer_not_connected",
    ),
    422: (
        "not_offered", "one_hospital", "consent_needed", "identity_image_needed", "document_unreadable",
        "payee_bank_only", "payee_not_guardian",
    ),
}  # fmt: skip
REFUSES_DOCUMENTS = {
    403: ("no_consent",),
    409: ("no_documents_asked",),
    422: ("documents_incomplete", "document_unreadable"),
}
REFUSES_APPEAL = {
    403: ("no_consent",),
    409: ("not_decided", "appealed_before", "appeal_not_offered"),
    422: ("line_unknown",),
}


@question(bp, "/insurers", MINE, out=c.InsurerPage)
def list_insurers(session: Session, caller: Caller) -> c.InsurerPage:
    """可以申请理赔的保险公司"""
    found = filter(exchange.can_be_called, exchange.parties(session, "insurer"))
    return c.InsurerPage(items=[c.InsurerView(code=party.code, name=party.name) for party in found])


@question(bp, "/claimable-bills", MINE, out=c.ClaimableBillPage, query=c.OfPerson)
def list_claimable(session: Session, caller: Caller, query: c.OfPerson) -> c.ClaimableBillPage:
    """就诊人的结算单，以及能否申请理赔"""
    identity.require_person(session, caller.id, query.person_id)
    numbers = identity.patient_numbers(session, query.person_id)
    bills = chain.from_iterable(record.bills_of_patient(session, hospital, number) for hospital, number in numbers)
    return c.ClaimableBillPage(items=[_claimable(bill) for bill in bills])


@command(bp, "/claims", MINE, body=c.SubmitClaim, out=c.ClaimDetail, status=201)
@refuses(REFUSES_CLAIM)
def submit(work: Work, caller: Caller, body: c.SubmitClaim) -> c.ClaimDetail:
    """申请理赔"""
    return _after(work, submission.submit(work, caller.id, body))


@question(bp, "/claims", MINE, out=c.ClaimPage, query=c.ClaimQuery)
def list_claims(session: Session, caller: Caller, query: c.ClaimQuery) -> c.ClaimPage:
    """我的理赔，最新的在前；可以按理赔号或赔案号查找"""
    rows, cursor = lookup.page_of_account(session, caller.id, query, no=query.no, case_no=query.case_no)
    return c.ClaimPage(items=[views.claim(row) for row in rows], next_cursor=cursor)


@question(bp, "/claims/<uuid:claim_id>", MINE, out=c.ClaimDetail)
def read_claim(session: Session, caller: Caller, claim_id: UUID) -> c.ClaimDetail:
    """一次理赔：进度、核赔明细、需要补充的材料"""
    return views.detail(session, _mine(session, caller, claim_id))


@question(bp, "/claims/<uuid:claim_id>/timeline", MINE, out=c.Timeline)
def read_timeline(session: Session, caller: Caller, claim_id: UUID) -> c.Timeline:
    """理赔的时间线：每一步、何时、在谁手里"""
    return c.Timeline(items=views.timeline(session, _mine(session, caller, claim_id)))


@download(bp, "/claims/<uuid:claim_id>/letters/<uuid:letter_id>", MINE, media_types=("application/pdf",), audited=True)
def download_letter(work: Work, caller: Caller, claim_id: UUID, letter_id: UUID) -> Download:
    """下载拒赔通知书（PDF）"""
    content = letter.read(work, caller.id, claim_id, letter_id)
    return Download(f"refusal-letter-{letter_id}.pdf", "application/pdf", content)


@command(bp, "/claims/<uuid:claim_id>/documents", MINE, body=c.SendDocuments, out=c.ClaimDetail)
@refuses(REFUSES_DOCUMENTS)
def send_documents(work: Work, caller: Caller, body: c.SendDocuments, claim_id: UUID) -> c.ClaimDetail:
    """补充材料，一次补齐"""
    return _after(work, documents.send(work, caller.id, claim_id, body))


@command(bp, "/claims/<uuid:claim_id>/appeal", MINE, body=c.AppealIn, out=c.ClaimDetail)
@refuses(REFUSES_APPEAL)
def appeal(work: Work, caller: Caller, body: c.AppealIn, claim_id: UUID) -> c.ClaimDetail:
    """对核赔结果申诉，可以只针对一条明细"""
    dialects.require_appeal(work, caller.id, claim_id)
    return _after(work, answers.appeal(work, caller.id, claim_id, body))


@command(bp, "/claims/<uuid:claim_id>/accept", MINE, body=c.AcceptIn, out=c.ClaimDetail)
def accept(work: Work, caller: Caller, body: c.AcceptIn, claim_id: UUID) -> c.ClaimDetail:
    """接受核赔结果，进入付款"""
    return _after(work, answers.accept(work, caller.id, claim_id, body))


@command(bp, "/claims/<uuid:claim_id>/withdraw", MINE, out=c.ClaimDetail)
@refuses({409: ("too_late_to_withdraw",)})
def withdraw(work: Work, caller: Caller, claim_id: UUID) -> c.ClaimDetail:
    """撤回理赔申请"""
    return _after(work, withdrawal.withdraw(work, caller.id, claim_id))


def _after(work: Work, row: Claim) -> c.ClaimDetail:
    work.session.flush()
    return views.detail(work.session, row)


def _mine(session: Session, caller: Caller, claim_id: UUID) -> Claim:
    row = lookup.claim(session, claim_id)
    if row is None or row.account_id != caller.id:
        raise NotFound
    return row


def _claimable(bill: BillFacts) -> c.ClaimableBillView:
    code = rules.why_not_claimable(
        state=bill.state, refused=bill.refused_reason, borne_fen=bill.borne_fen, e_bill_state=bill.e_bill_state
    )
    return c.ClaimableBillView(
        bill_id=bill.id,
        hospital_id=bill.hospital_id,
        bill_no=bill.bill_no,
        department_name=bill.department_name,
        billed_on=bill.billed_on,
        total_fen=bill.total_fen,
        borne_fen=bill.borne_fen,
        why_not=rules.TEXTS[code] if code else None,
    )
