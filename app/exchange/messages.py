"""What partners tell us."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.errors import Invalid, NotFound
from app.core.work import Work
from app.exchange import rules
from app.exchange.contracts import MessageIn
from app.exchange.models import Message
from app.exchange.parties import party_kind
from app.exchange.programs import Signer
from app.exchange.publishing import publish


@dataclass(frozen=True)
class OpenMessage:
    id: UUID
    party_id: UUID
    type: str
    data: dict[str, Any]
    received_at: datetime


def take_message(work: Work, signer: Signer, given: MessageIn) -> UUID:
    """Keep a message; emits `exchange.message.<type>`. Invalid if nobody follows its type."""
    event = f"exchange.message.{given.type}"
    family = rules.MESSAGE_FAMILIES.get(party_kind(work.session, signer.party_id))
    if event not in work.runtime.routes or family is None or not given.type.startswith(family):
        raise Invalid("message_type_unknown", "不认识的消息类型", fields={"type": "不在可选范围内"})
    row = Message(party_id=signer.party_id, partner_id=signer.partner_id, type=given.type)
    row.data_sealed = work.privacy.seal_json(given.data, f"message:data_sealed:{row.id}")
    work.add(row)
    work.audit("message.receive", "message", row.id, type=given.type)
    work.emit(event, row.id)
    return row.id


def open_message(work: Work, message_id: UUID) -> OpenMessage:
    """The content of a message; the reading is audited."""
    row = work.session.get(Message, message_id)
    if row is None:
        raise NotFound
    work.audit("read.message.data_sealed", "message", row.id, why=row.type)
    data = work.privacy.open_json(row.data_sealed, f"message:data_sealed:{row.id}")
    return OpenMessage(row.id, row.party_id, row.type, data, row.received_at)


def refuse_message(work: Work, message_id: UUID, code: str, fields: Mapping[str, str]) -> None:
    """Nothing came of a message: its sender finds `message.refused` in its feed, and in `fields` what is wrong."""
    row = work.session.get(Message, message_id)
    if row is None:
        raise NotFound
    work.audit("message.refuse", "message", row.id, code=code, fields=sorted(fields))
    told = {"message_id": str(row.id), "type": row.type, "code": code, "fields": dict(fields)}
    publish(work, row.party_id, "message.refused", told)
