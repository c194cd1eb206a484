from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.paging import PageQuery, page
from app.payout.models import Payout, PayoutApproval
from app.payout.states import State

_ENDED = (State.SUCCEEDED, State.FAILED, State.CANCELLED, State.RETURNED)


def payout(session: Session, payout_id: UUID) -> Payout | None:
    return session.get(Payout, payout_id)


def open_of_claim(session: Session, claim_id: UUID) -> Payout | None:
    mine = select(Payout).where(Payout.claim_id == claim_id, Payout.status.not_in(_ENDED))
    return session.scalar(mine)


def of_claim(session: Session, claim_id: UUID) -> Sequence[Payout]:
    return session.scalars(select(Payout).where(Payout.claim_id == claim_id).order_by(Payout.id)).all()


def by_number(session: Session, out_no: str) -> Payout | None:
    return session.scalar(select(Payout).where(Payout.out_no == out_no))


def approvals(session: Session, payout_id: UUID) -> Sequence[UUID]:
    return session.scalars(select(PayoutApproval.operator_id).where(PayoutApproval.payout_id == payout_id)).all()


def page_by_status(session: Session, status: str, query: PageQuery) -> tuple[Sequence[Payout], UUID | None]:
    return page(session, select(Payout).where(Payout.status == status), Payout.id, query)
