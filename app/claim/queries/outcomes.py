"""Decisions and the money that follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from app.audit import queries as audit
from app.claim.models.claims import ClaimBill
from app.claim.models.decisions import Appeal, Decision, DecisionLine, Recovery, RefusalLetter
from app.claim.states import UNRECOVERED, RecoveryState


def paid_elsewhere_fen(session: Session, bill_id: UUID) -> int:
    """The most that any insurer says was paid for the bill outside of Zhipei."""
    mine = (ClaimBill.bill_id == bill_id, ClaimBill.kind == "pay", ClaimBill.live)
    return int(session.scalar(select(func.coalesce(func.max(ClaimBill.paid_elsewhere_fen), 0)).where(*mine)) or 0)


def latest_decision(session: Session, claim_id: UUID) -> Decision | None:
    mine = select(Decision).where(Decision.claim_id == claim_id)
    return session.scalar(mine.order_by(Decision.decided_at.desc(), Decision.id.desc()).limit(1))


def is_decided(session: Session, claim_id: UUID) -> bool:
    """Whether the insurer has said everything, not only what is certain already."""
    latest = latest_decision(session, claim_id)
    return latest is not None and latest.outcome != "interim"


def decision(session: Session, claim_id: UUID, decision_no: str) -> Decision | None:
    return session.scalar(select(Decision).where(Decision.claim_id == claim_id, Decision.decision_no == decision_no))


def decision_lines(session: Session, decision_id: UUID) -> Sequence[DecisionLine]:
    mine = select(DecisionLine).where(DecisionLine.decision_id == decision_id)
    return session.scalars(mine.order_by(DecisionLine.clearing_no, DecisionLine.line_no)).all()


def letter_of(session: Session, decision_id: UUID) -> RefusalLetter | None:
    return session.scalar(select(RefusalLetter).where(RefusalLetter.decision_id == decision_id))


def owes_letter(session: Session, claim_id: UUID, outcomes: Sequence[str]) -> bool:
    """Whether a decision with one of these outcomes has no letter yet."""
    mine = (Decision.claim_id == claim_id, Decision.outcome.in_(outcomes))
    missing = select(Decision.id).where(*mine, Decision.id.not_in(select(RefusalLetter.decision_id)))
    return session.scalar(missing.limit(1)) is not None


def letters(session: Session, claim_id: UUID) -> Sequence[RefusalLetter]:
    mine = select(RefusalLetter).where(RefusalLetter.claim_id == claim_id)
    return session.scalars(mine.order_by(RefusalLetter.id)).all()


def appeal(session: Session, claim_id: UUID) -> Appeal | None:
    return session.scalar(select(Appeal).where(Appeal.claim_id == claim_id))


def history(session: Session, claim_id: UUID, recovered: Sequence[Recovery]) -> Sequence[audit.AuditEntry]:
    """What happened to a claim and to its recoveries."""
    return audit.history(session, [claim_id, *(row.id for row in recovered)])


def recoveries(session: Session, claim_id: UUID) -> Sequence[Recovery]:
    return session.scalars(select(Recovery).where(Recovery.claim_id == claim_id).order_by(Recovery.id)).all()


def recovery_by_no(session: Session, recovery_no: str, claim_id: UUID) -> Recovery | None:
    mine = (Recovery.recovery_no == recovery_no, Recovery.claim_id == claim_id)
    return session.scalar(select(Recovery).where(*mine))


def unrecovered_fen(session: Session, bill_id: UUID, but: UUID | None = None) -> int:
    """What was paid, or may still be, for a bill that was taken back or amended, and has not come back; of all claims
    less one."""
    amount = case((Recovery.status == RecoveryState.WAITING, Recovery.share_fen), else_=Recovery.due_fen)
    mine = (Recovery.bill_id == bill_id, Recovery.claim_id.is_distinct_from(but), Recovery.status.in_(UNRECOVERED))
    return int(session.scalar(select(func.coalesce(func.sum(amount), 0)).where(*mine)) or 0)


def owed_fen(session: Session, claim_id: UUID) -> int:
    """What of the claim's payouts must come back to the insurer, has come back through it, or was written off."""
    owed = (RecoveryState.OPEN, RecoveryState.REPAID, RecoveryState.WRITTEN_OFF)
    mine = (Recovery.claim_id == claim_id, Recovery.status.in_(owed))
    return int(session.scalar(select(func.coalesce(func.sum(Recovery.due_fen), 0)).where(*mine)) or 0)


def payable_fen(session: Session, claim_id: UUID) -> int:
    """What of the approved amount may be paid now."""
    mine = (ClaimBill.claim_id == claim_id, ClaimBill.kind == "pay")
    return int(session.scalar(select(func.coalesce(func.sum(ClaimBill.payable_fen), 0)).where(*mine)) or 0)
