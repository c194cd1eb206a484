"""What has been seen of one party's programs: which of the things that they have to be able to do, and how often.
Nothing here decrypts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.exchange import refusals
from app.exchange.models import (
    Batch,
    Change,
    Command,
    CommandReply,
    DataRequest,
    InboxMessage,
    Message,
    Partner,
    PartnerKey,
    Push,
)
from app.exchange.states import BatchState, RequestState


@dataclass(frozen=True)
class Seen:
    """Numbers by name. `batches` and `messages` are those that arrived, `applied` and `verdicts` what became of the
    batches, `refused` the messages that nothing came of."""

    live_keys: int
    public_keys: int
    signed: int
    batches: Mapping[str, int]
    applied: Mapping[str, int]
    verdicts: Mapping[str, int]
    fetched: Mapping[str, int]
    answered: Mapping[str, int]
    messages: Mapping[str, int]
    refused: int
    changes: int
    read_to: int
    requests: int
    requests_answered: int


def seen(session: Session, party_id: UUID) -> Seen:
    mine = select(Partner.id).where(Partner.party_id == party_id)
    live = (PartnerKey.partner_id.in_(mine), PartnerKey.retired_at.is_(None))
    batches, asked = (Batch.party_id == party_id,), (DataRequest.party_id == party_id,)
    replies = select(Command.kind, func.count()).join(CommandReply, CommandReply.id == Command.id)
    return Seen(
        live_keys=_count(session, PartnerKey, *live),
        public_keys=_count(session, PartnerKey, *live, PartnerKey.public_key.is_not(None)),
        signed=_count(session, InboxMessage, InboxMessage.partner_id.in_(mine)),
        batches=_by(session, _tally(Batch.kind, *batches)),
        applied=_by(session, _tally(Batch.kind, *batches, Batch.status == BatchState.APPLIED)),
        verdicts=_verdicts(session, party_id),
        fetched=_by(session, _tally(Command.kind, Command.party_id == party_id, Command.handed_at.is_not(None))),
        answered=_by(session, replies.where(Command.party_id == party_id).group_by(Command.kind)),
        messages=_by(session, _tally(Message.type, Message.party_id == party_id)),
        refused=_count(session, Change, Change.party_id == party_id, Change.type.in_(REFUSALS)),
        changes=_count(session, Change, Change.party_id == party_id),
        read_to=_read_to(session, party_id),
        requests=_count(session, DataRequest, *asked),
        requests_answered=_count(session, DataRequest, *asked, DataRequest.status == RequestState.ANSWERED),
    )


# Changes by which a party is told that nothing came of what it said.
REFUSALS = ("message.refused", "claim.decision_refused")


def _count(session: Session, model: Any, *wanted: Any) -> int:
    return session.scalar(select(func.count()).select_from(model).where(*wanted)) or 0


def _tally(column: Any, *wanted: Any) -> Select[*tuple[Any, ...]]:
    return select(column, func.count()).where(*wanted).group_by(column)


def _by(session: Session, tally: Select[*tuple[Any, ...]]) -> dict[str, int]:
    return {row[0]: row[1] for row in session.execute(tally)}


def _verdicts(session: Session, party_id: UUID) -> dict[str, int]:
    total: Counter[str] = Counter()
    for tally in session.scalars(select(Batch.tally).where(Batch.party_id == party_id, Batch.tally.is_not(None))):
        total.update(tally or {})
    if number := refusals.mended(session, [party_id])[party_id]:
        total.update({"refused": -number, refusals.MENDED: number})
    return dict(+total)


def _read_to(session: Session, party_id: UUID) -> int:
    """How far the feed was read, by poll or by push."""
    acked = session.scalar(select(func.max(Partner.acked_cursor)).where(Partner.party_id == party_id)) or 0
    return max(acked, session.scalar(select(Push.cursor).where(Push.party_id == party_id)) or 0)
