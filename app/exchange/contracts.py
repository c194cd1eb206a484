"""What crosses the wire between partners and the exchange. Types are strict: a number in quotes is no number."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, StringConstraints
from typing_extensions import TypedDict

MAX_ROWS = 2000
MAX_COMMANDS = 200
MAX_ANSWERS = 500
MAX_WAIT_MS = 2000
MAX_REQUEST_S = 7 * 24 * 3600

# Without control characters: PostgreSQL cannot store NUL, and nobody can read the others.
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.\-]{1,64}$")]
Key = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,120}$")]
Text = Annotated[str, StringConstraints(max_length=500)]
Count = Annotated[int, Field(ge=0, le=MAX_ROWS)]
AmountFen = Annotated[int, Field(ge=-(10**15), le=10**15)]
BatchNo = Annotated[int, Field(ge=1, le=10**12)]
Version = Annotated[int, Field(ge=0, le=2**62)]
Cursor = Annotated[int, Field(ge=0, le=2**62)]
WaitMs = Annotated[int, Field(ge=0, le=MAX_WAIT_MS)]
Outcome = Literal["done", "refused", "failed", "unknown"]
_STRICT = ConfigDict(strict=True, extra="forbid")


class In(BaseModel):
    model_config = _STRICT


class RowIn(TypedDict):
    """One row of a batch. `data` is checked by the feature that it is for."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]

    type: Code
    key: Key
    version: Version
    data: dict[str, Any]


class BatchIn(In):
    batch_no: BatchNo
    kind: Literal["catalogue", "record", "ledger"]
    business_date: date
    count: Count
    amount_fen: AmountFen
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    rows: Annotated[list[RowIn], Field(max_length=MAX_ROWS)]
    _content: bytes | None = PrivateAttr(None)

    @property
    def content(self) -> bytes | None:
        """The canonical text of the rows, where it is known to be what was sent."""
        return self._content

    def with_content(self, text: bytes) -> BatchIn:
        self._content = text
        return self


class BatchTaken(BaseModel):
    batch_id: UUID


class VerdictsIn(In):
    batch_no: BatchNo


class VerdictView(BaseModel):
    key: str
    type: str
    verdict: Literal["applied", "unchanged", "stale", "waiting_parent", "refused"]
    reason: str | None


class VerdictsView(BaseModel):
    batch_no: int
    status: Literal["received", "checked", "applied", "refused"]
    rows: list[VerdictView]


MAX_SEQ = 2**63 - 1


class PollIn(In):
    """`lane_limits`: the most of a lane that the agent holds unanswered. `lane_seen`: the last sequence number of a
    lane that it has kept; what was handed out behind it was lost on the way and comes again at once, in its order.
    `bad_rows`: how many rows the agent cannot send, said whenever that has changed."""

    max: Annotated[int, Field(ge=1, le=MAX_COMMANDS)] = MAX_COMMANDS
    wait_ms: WaitMs = 0
    lanes: Annotated[list[Code], Field(max_length=50)] | None = None
    lane_limits: Annotated[dict[Code, Annotated[int, Field(ge=0)]], Field(max_length=50)] = {}
    lane_seen: Annotated[dict[Code, Annotated[int, Field(ge=0, le=MAX_SEQ)]], Field(max_length=50)] = {}
    bad_rows: Annotated[int, Field(ge=0, le=MAX_SEQ)] | None = None


class CommandView(BaseModel):
    id: UUID
    kind: str
    lane: str
    seq: int
    left_ms: int | None
    body: dict[str, Any]


class CommandsView(BaseModel):
    """`left_ms` of each command counts from `waited_ms` after the poll had come."""

    waited_ms: int
    commands: list[CommandView]


class AnswerIn(In):
    id: UUID
    outcome: Outcome
    code: Code | None = None
    message: Text | None = None
    body: dict[str, Any] = {}


class AnswersIn(In):
    answers: Annotated[list[AnswerIn], Field(max_length=MAX_ANSWERS)]


class AnswersView(BaseModel):
    """`ignored`: answered before, taken back, overdue, or not ours."""

    accepted: list[UUID]
    ignored: list[UUID]


class MessageIn(In):
    type: Code
    data: dict[str, Any]


class MessageTaken(BaseModel):
    message_id: UUID


class RequestIn(In):
    """`answer_within_s`: past that the request is overdue, which is told like an answer."""

    request_no: Code
    hospital: Code
    kind: Code
    data: dict[str, Any]
    answer_within_s: Annotated[int, Field(ge=10, le=MAX_REQUEST_S)] = 24 * 3600


class RequestTaken(BaseModel):
    request_id: UUID


class RequestAnswersIn(In):
    cursor: Cursor = 0
    max: Annotated[int, Field(ge=1, le=200)] = 100


class RequestAnswerView(BaseModel):
    cursor: int
    request_no: str
    outcome: Outcome
    code: str | None
    data: dict[str, Any]


class RequestAnswersView(BaseModel):
    answers: list[RequestAnswerView]


class ChangesIn(In):
    """Without a cursor the feed goes on behind the last one that was acknowledged."""

    cursor: Cursor | None = None
    max: Annotated[int, Field(ge=1, le=200)] = 100
    wait_ms: WaitMs = 0


class ChangeView(BaseModel):
    cursor: int
    type: str
    data: dict[str, Any]


class ChangesView(BaseModel):
    changes: list[ChangeView]


class AckIn(In):
    cursor: Cursor


class AckView(BaseModel):
    cursor: int


class KeysIn(In):
    pass


class KeyView(BaseModel):
    """`key_id`: the thumbprint of the key (RFC 7638). `signs`: what is sealed now is signed with it."""

    key_id: str
    public_key: str = Field(description="Ed25519 公钥的 32 个字节，base64")
    signs: bool


class KeysView(BaseModel):
    keys: list[KeyView]


class CompletenessIn(In):
    business_date: date


class CompletenessView(BaseModel):
    """`percent` has two places and is rounded down: 100 only if every row that was declared needs nothing more.
    `missing` names the first 100 of the numbers that were skipped before a batch of this date. `bad_rows`, of any date,
    are held back at the hospital now: its agent cannot send them."""

    business_date: date
    percent: float | None
    batches: int
    unjudged: int
    declared_rows: int
    declared_fen: int
    rows: dict[str, int]
    missing_batches: int
    missing: list[int]
    bad_rows: int
