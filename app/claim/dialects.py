"""What the insurers' dialects lack, refused to the patient before anything is written down."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from app.claim.steps import mine
from app.core.errors import Conflict
from app.core.work import Work
from app.exchange import service as exchange

# The S200 dialect knows no appeal: S310 accepts, or the patient turns to the insurer directly.
WITHOUT_APPEAL = ("s200",)


def hears_appeals(session: Session, insurer_id: UUID) -> bool:
    return exchange.party(session, insurer_id).config.get("dialect") not in WITHOUT_APPEAL


def require_appeal(work: Work, account_id: UUID, claim_id: UUID) -> None:
    """Conflict `appeal_not_offered` where this claim's insurer could not hear it."""
    if not hears_appeals(work.session, mine(work, account_id, claim_id).insurer_id):
        raise Conflict("appeal_not_offered", "该保险公司暂不受理线上申诉，请直接联系保险公司客服")
