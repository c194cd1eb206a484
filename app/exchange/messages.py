"""What partners tell us, and what an insurer asks of a hospital's data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.core.privacy import Privacy
from app.core.work import Work
from app.exchange import feed, rules, wake
from app.exchange.contracts import MessageIn, RequestIn
from app.exchange.models import DataRequest, Message, Party
from app.exchange.parties import party
from app.exchange.programs import Signer
from app.exchange.states import RequestState, requests


@dataclass(frozen=True)
class OpenMessage:
    id: UUID
    party_id: UUID
    type: str
    data: dict[str, Any]


@dataclass(frozen=True)
class OpenRequest:
    """`party_id` is the insurer that asks, `hospital_id` the hospital whose data it asks for."""

    id: UUID
    party_id: UUID
    hospital_id: UUID
    request_no: str
    kind: str
    data: dict[str, Any]


@dataclass(frozen=True)
class RequestAnswer:
    cursor: int
    request_no: str
    outcome: str
    code: str | None
    data: dict[str, Any]


def take_message(work: Work, signer: Signer, given: MessageIn) -> UUID:
    """Keep a message; emits `exchange.message.<type>`. Invalid if nobody follows its type."""
    event = f"exchange.message.{given.type}"
    family = rules.MESSAGE_FAMILIES.get(party(work.session, signer.party_id).kind)
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
    return OpenMessage(row.id, row.party_id, row.type, data)


def refuse_message(work: Work, message_id: UUID, code: str, fields: Mapping[str, str]) -> None:
    """Nothing came of a message: its sender finds `message.refused` in its feed, and in `fields` what is wrong."""
    row = work.session.get(Message, message_id)
    if row is None:
        raise NotFound
    work.audit("message.refuse", "message", row.id, code=code, fields=sorted(fields))
    told = {"message_id": str(row.id), "type": row.type, "code": code, "fields": dict(fields)}
    feed.publish(work, row.party_id, "message.refused", told)


def take_request(work: Work, signer: Signer, given: RequestIn) -> UUID:
    """Keep an insurer's request for a hospital's data; emits `exchange.request.<kind>`.

    The same number with the same content again is the same request. Raises Forbidden, Invalid, Conflict.
    """
    event = f"exchange.request.{given.kind}"
    if party(work.session, signer.party_id).kind != "insurer":
        raise Forbidden("request_not_allowed", "只有保险公司可以提出数据请求")
    if event not in work.runtime.routes:
        raise Invalid("request_kind_unknown", "不认识的请求类型", fields={"kind": "不在可选范围内"})
    at = (Party.code == given.hospital, Party.kind == "hospital")
    hospital_id = work.session.scalar(select(Party.id).where(*at))
    if hospital_id is None:
        raise Invalid("hospital_unknown", "没有这家医院", fields={"hospital": "不在可选范围内"})
    old = work.session.scalar(
        select(DataRequest).where(DataRequest.party_id == signer.party_id, DataRequest.request_no == given.request_no)
    )
    if old is not None:
        same = old.hospital_id == hospital_id and old.kind == given.kind and _asked(work.privacy, old) == given.data
        if not same:
            raise Conflict("request_no_reused", "这个请求号已经用于另一个请求")
        return old.id
    row = DataRequest(party_id=signer.party_id, hospital_id=hospital_id, request_no=given.request_no, kind=given.kind)
    row.data_sealed = work.privacy.seal_json(given.data, f"data_request:data_sealed:{row.id}")
    requests.start(work, row, RequestState.OPEN)
    work.emit(event, row.id)
    return row.id


def open_request(work: Work, request_id: UUID) -> OpenRequest:
    """What an insurer asks; the reading is audited."""
    row = work.session.get(DataRequest, request_id)
    if row is None:
        raise NotFound
    work.audit("read.data_request.data_sealed", "data_request", row.id, why=row.kind)
    found = OpenRequest(row.id, row.party_id, row.hospital_id, row.request_no, row.kind, _asked(work.privacy, row))
    requests.move(work, [request_id], "open", lenient=True)
    return found


def answer_request(work: Work, request_id: UUID, outcome: str, data: dict[str, Any], code: str | None = None) -> bool:
    """Answer an insurer's request; False if it was answered before."""
    sealed = work.privacy.seal_json(data, f"data_request:answer_sealed:{request_id}")
    values = {"outcome": outcome, "code": code, "answer_sealed": sealed}
    moved = requests.move(work, [request_id], "answer", values=values, lenient=True)
    if moved:
        insurer_id = work.session.scalar(select(DataRequest.party_id).where(DataRequest.id == request_id))
        assert insurer_id is not None
        wake.party(work, insurer_id)
    return bool(moved)


def request_answers(work: Work, party_id: UUID, cursor: int, most: int) -> list[RequestAnswer]:
    """Answers behind `cursor`, in the order in which the insurer first could see them."""
    answered = (DataRequest.party_id == party_id, DataRequest.status == RequestState.ANSWERED)
    feed.number_new(work.session, DataRequest, party_id, answered)
    rows = work.session.scalars(
        select(DataRequest).where(*answered, DataRequest.cursor > cursor).order_by(DataRequest.cursor).limit(most)
    ).all()
    for row in rows:
        work.audit("read.data_request.answer_sealed", "data_request", row.id, why="partner")
    return [_given(work.privacy, row) for row in rows]


def _asked(privacy: Privacy, row: DataRequest) -> dict[str, Any]:
    found: dict[str, Any] = privacy.open_json(row.data_sealed, f"data_request:data_sealed:{row.id}")
    return found


def _given(privacy: Privacy, row: DataRequest) -> RequestAnswer:
    assert row.cursor is not None and row.outcome is not None and row.answer_sealed is not None
    data = privacy.open_json(row.answer_sealed, f"data_request:answer_sealed:{row.id}")
    return RequestAnswer(row.cursor, row.request_no, row.outcome, row.code, data)
