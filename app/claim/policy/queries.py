from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.claim.models.claims import Policy
from app.claim.policy.models import PolicyQuestion
from app.core.errors import NotFound
from app.exchange import service as exchange


def insurer_id(session: Session, code: str) -> UUID:
    """NotFound for whoever is no insurer."""
    party = exchange.party_by_code(session, code)
    if party.kind != "insurer":
        raise NotFound
    return party.id


def question(session: Session, insurer_id: UUID, person_id: UUID) -> PolicyQuestion:
    """The one that was asked, locked."""
    mine = select(PolicyQuestion).where(PolicyQuestion.insurer_id == insurer_id, PolicyQuestion.person_id == person_id)
    return session.scalars(mine.with_for_update()).one()


def questions(session: Session, person_id: UUID) -> Sequence[PolicyQuestion]:
    mine = select(PolicyQuestion).where(PolicyQuestion.person_id == person_id)
    return session.scalars(mine.order_by(PolicyQuestion.id)).all()


def policies(session: Session, asked: PolicyQuestion) -> Sequence[Policy]:
    """Those of the insurer's last answer, and what a claim's verification has heard since. None before an answer."""
    if asked.answered_at is None:
        return []
    mine = select(Policy).where(Policy.insurer_id == asked.insurer_id, Policy.person_id == asked.person_id)
    return session.scalars(mine.where(Policy.asked_at >= asked.answered_at).order_by(Policy.policy_no)).all()
