"""What an insurer asks of a hospital's data: kept with a deadline, answered one to one and once, or overdue.

Who may see consents forwards it to the hospital; here nobody knows whom it is about.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.core.privacy import Privacy
from app.core.work import Work
from app.exchange import feed, wake
from app.exchange.contracts import RequestIn
from app.exchange.models import DataRequest, Party
from app.exchange.parties import party_kind
from app.exchange.programs import Signer
from app.exchange.states import RequestState, requests

# An answer that came in time may still wait for the task that takes it.
OVERDUE_GRACE_S = 5.0
OVERDUE_BATCH = 1000
UNANSWERED = (RequestState.OPEN, RequestState.FETCHED)
ENDED = (RequestState.ANSWERED, RequestState.OVERDUE)


@dataclass(frozen=True)
class OpenRequest:
    """`party_id` is the insurer that asks, `hospital_id` the hospital whose data it asks for."""

    id: UUID
    party_id: UUID
    hospital_id: UUID
    request_no: str
    kind: str
    data: dict[str, Any]
    deadline: datetime


@dataclass(frozen=True)
class RequestAnswer:
    cursor: int
    request_no: str
    outcome: str
    code: str | None
    data: dict[str, Any]


def take_request(work: Work, signer: Signer, given: RequestIn) -> UUID:
    """Keep an insurer's request for a hospital's data; emits `exchange.request.<kind>`.

    The same number with the same content again is the same request. Raises Forbidden, Invalid, Conflict.
    """
    hospital_id = _require_askable(work, signer, given)
    feed.lock_party(work.session, signer.party_id)
    old = work.session.scalar(
        select(DataRequest).where(DataRequest.party_id == signer.party_id, DataRequest.request_no == given.request_no)
    )
    if old is not None:
        same = old.hospital_id == hospital_id and old.kind == given.kind and _asked(work.privacy, old) == given.data
        if not same:
            raise Conflict("request_no_reused", "这个请求号已经用于另一个请求")
        return old.id
    row = DataRequest(party_id=signer.party_id, hospital_id=hospital_id, request_no=given.request_no, kind=given.kind)
    row.deadline = work.now + timedelta(seconds=given.answer_within_s)
    row.data_sealed = work.privacy.seal_json(given.data, f"data_request:data_sealed:{row.id}")
    requests.start(work, row, RequestState.OPEN)
    work.emit(f"exchange.request.{row.kind}", row.id)
    return row.id


def open_request(work: Work, request_id: UUID) -> OpenRequest | None:
    """What an insurer asks, None once that has been answered or is overdue; the reading is audited."""
    row = work.session.get(DataRequest, request_id)
    if row is None:
        raise NotFound
    requests.move(work, [request_id], "open", lenient=True)
    if row.status not in UNANSWERED:
        return None
    work.audit("read.data_request.data_sealed", "data_request", row.id, why=row.kind)
    asked = _asked(work.privacy, row)
    return OpenRequest(row.id, row.party_id, row.hospital_id, row.request_no, row.kind, asked, row.deadline)


def answer_request(work: Work, request_id: UUID, outcome: str, data: dict[str, Any], code: str | None = None) -> bool:
    """Answer an insurer's request; False if it was answered before, or too late."""
    sealed = work.privacy.seal_json(data, f"data_request:answer_sealed:{request_id}")
    values = {"outcome": outcome, "code": code, "answer_sealed": sealed}
    moved = requests.move(work, [request_id], "answer", values=values, lenient=True)
    if moved:
        insurer_id = work.session.scalar(select(DataRequest.party_id).where(DataRequest.id == request_id))
        assert insurer_id is not None
        wake.party(work, insurer_id)
    return bool(moved)


def expire_requests(work: Work) -> int:
    """End what is past its deadline without an answer; how many that were."""
    late = func.clock_timestamp() - timedelta(seconds=OVERDUE_GRACE_S)
    ids = work.session.scalars(
        select(DataRequest.id)
        .where(DataRequest.status.in_(UNANSWERED), DataRequest.deadline < late)
        .order_by(DataRequest.id)
        .limit(OVERDUE_BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    return len(requests.move(work, ids, "expire", lenient=True)) if ids else 0


def request_answers(work: Work, party_id: UUID, cursor: int, most: int) -> list[RequestAnswer]:
    """What became of requests behind `cursor`, in the order in which the insurer first could see it."""
    ended = (DataRequest.party_id == party_id, DataRequest.status.in_(ENDED))
    feed.number_new(work.session, DataRequest, party_id, ended)
    rows = work.session.scalars(
        select(DataRequest).where(*ended, DataRequest.cursor > cursor).order_by(DataRequest.cursor).limit(most)
    ).all()
    for row in rows:
        work.audit("read.data_request.answer_sealed", "data_request", row.id, why="partner")
    return [_given(work.privacy, row) for row in rows]


def _require_askable(work: Work, signer: Signer, given: RequestIn) -> UUID:
    """The hospital's id. Forbidden for who may not ask, Invalid for what nobody can answer."""
    if party_kind(work.session, signer.party_id) != "insurer":
        raise Forbidden("request_not_allowed", "只有保险公司可以提出数据请求")
    if f"exchange.request.{given.kind}" not in work.runtime.routes:
        raise Invalid("request_kind_unknown", "不认识的请求类型", fields={"kind": "不在可选范围内"})
    hospital_id = _hospital(work.session, given.hospital)
    if hospital_id is None:
        raise Invalid("hospital_unknown", "没有这家医院", fields={"hospital": "不在可选范围内"})
    return hospital_id


def _hospital(session: Session, code: str) -> UUID | None:
    return session.scalar(select(Party.id).where(Party.code == code, Party.kind == "hospital"))


def _asked(privacy: Privacy, row: DataRequest) -> dict[str, Any]:
    found: dict[str, Any] = privacy.open_json(row.data_sealed, f"data_request:data_sealed:{row.id}")
    return found


def _given(privacy: Privacy, row: DataRequest) -> RequestAnswer:
    assert row.cursor is not None
    if row.answer_sealed is None:  # only an overdue one has none
        return RequestAnswer(row.cursor, row.request_no, "unknown", "overdue", {})
    assert row.outcome is not None
    data = privacy.open_json(row.answer_sealed, f"data_request:answer_sealed:{row.id}")
    return RequestAnswer(row.cursor, row.request_no, row.outcome, row.code, data)
