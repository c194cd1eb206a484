from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.audit import queries as audit
from app.audit.models import AuditEntry
from app.claim.models import (
    Appeal,
    Claim,
    ClaimBill,
    ClaimDocument,
    ClaimPackage,
    Decision,
    DecisionLine,
    DocumentRequest,
)
from app.claim.states import LIVE
from app.core.paging import PageQuery, page


def claim(session: Session, claim_id: UUID) -> Claim | None:
    return session.get(Claim, claim_id)


def claim_by_no(session: Session, no: str, insurer_id: UUID) -> Claim | None:
    return session.scalar(select(Claim).where(Claim.no == no, Claim.insurer_id == insurer_id))


def page_of_account(session: Session, account_id: UUID, query: PageQuery) -> tuple[Sequence[Claim], UUID | None]:
    return page(session, select(Claim).where(Claim.account_id == account_id), Claim.id, query)


def bills(session: Session, claim_id: UUID) -> Sequence[ClaimBill]:
    """The clearing rows of a claim in the order of their numbers."""
    return session.scalars(select(ClaimBill).where(ClaimBill.claim_id == claim_id).order_by(ClaimBill.ordinal)).all()


def live_rows_of_bill(session: Session, bill_id: UUID) -> Sequence[ClaimBill]:
    mine = (ClaimBill.bill_id == bill_id, ClaimBill.kind == "pay", ClaimBill.live)
    return session.scalars(select(ClaimBill).where(*mine).order_by(ClaimBill.id)).all()


def claimed_with(session: Session, bill_id: UUID, insurer_id: UUID, policy_no: str | None) -> bool:
    """Whether a live claim with this insurer holds the bill: under the same policy, or under one not known yet."""
    found = (
        select(Claim.id)
        .join(ClaimBill, ClaimBill.claim_id == Claim.id)
        .where(ClaimBill.bill_id == bill_id, ClaimBill.live, Claim.insurer_id == insurer_id, Claim.status.in_(LIVE))
    )
    if policy_no is not None:
        found = found.where(or_(Claim.policy_no.is_(None), Claim.policy_no == policy_no))
    return session.scalar(found.limit(1)) is not None


def claims_of_bills(session: Session, bill_ids: Sequence[UUID]) -> Sequence[Claim]:
    """Live claims that hold any of these bills."""
    holding = select(ClaimBill.claim_id).where(ClaimBill.bill_id.in_(bill_ids), ClaimBill.live)
    return session.scalars(select(Claim).where(Claim.id.in_(holding)).order_by(Claim.id)).all()


def latest_package(session: Session, claim_id: UUID) -> ClaimPackage | None:
    mine = select(ClaimPackage).where(ClaimPackage.claim_id == claim_id)
    return session.scalar(mine.order_by(ClaimPackage.version.desc()).limit(1))


def latest_decision(session: Session, claim_id: UUID) -> Decision | None:
    mine = select(Decision).where(Decision.claim_id == claim_id)
    return session.scalar(mine.order_by(Decision.decided_at.desc(), Decision.id.desc()).limit(1))


def decision(session: Session, claim_id: UUID, decision_no: str) -> Decision | None:
    return session.scalar(select(Decision).where(Decision.claim_id == claim_id, Decision.decision_no == decision_no))


def decision_lines(session: Session, decision_id: UUID) -> Sequence[DecisionLine]:
    mine = select(DecisionLine).where(DecisionLine.decision_id == decision_id)
    return session.scalars(mine.order_by(DecisionLine.clearing_no, DecisionLine.line_no)).all()


def document_requests(session: Session, claim_id: UUID) -> Sequence[DocumentRequest]:
    mine = select(DocumentRequest).where(DocumentRequest.claim_id == claim_id)
    return session.scalars(mine.order_by(DocumentRequest.id)).all()


def documents(session: Session, request_id: UUID) -> Sequence[ClaimDocument]:
    mine = select(ClaimDocument).where(ClaimDocument.request_id == request_id)
    return session.scalars(mine.order_by(ClaimDocument.id)).all()


def appeal(session: Session, claim_id: UUID) -> Appeal | None:
    return session.scalar(select(Appeal).where(Appeal.claim_id == claim_id))


def history(session: Session, claim_id: UUID) -> Sequence[AuditEntry]:
    return audit.history(session, [claim_id])
