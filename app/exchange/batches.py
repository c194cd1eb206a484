"""Batches: rows that a partner pushed, kept sealed as they came until the feature they are for judges them."""

from __future__ import annotations

import json
import zlib
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from hashlib import sha256
from itertools import groupby
from operator import attrgetter
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import any_, bindparam, select
from sqlalchemy.orm import Session, undefer

from app.core.db import Ids
from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.core.work import Work
from app.exchange import refusals, rules
from app.exchange.contracts import BatchIn
from app.exchange.models import Batch
from app.exchange.parties import party_kind
from app.exchange.programs import Signer
from app.exchange.states import BatchState, batches

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """What became of one row: applied, unchanged, stale, waiting_parent or refused (with a stable reason)."""

    type: str
    key: str
    verdict: str
    reason: str | None = None


class UnreadRow(msgspec.Struct, gc=False):
    """One row of a batch, whose data is still the JSON text that was sent."""

    data: msgspec.Raw
    key: str
    type: str
    version: int


class _Unread(msgspec.Struct, gc=False):
    rows: list[UnreadRow]


_is_the_same, _key, _verdict = attrgetter("type", "verdict", "reason"), attrgetter("key"), attrgetter("verdict")
_unread = msgspec.json.Decoder(_Unread).decode
_WHOLE = (
    select(Batch)
    .where(Batch.id == any_(bindparam("ids", type_=Ids())))
    .options(undefer(Batch.rows_sealed), undefer(Batch.verdicts))
)


@dataclass(frozen=True)
class OpenBatch:
    """`content` is a JSON object whose `rows` are {type, key, version, data} in the order in which they were sent;
    `verdicts` are what they have so far, in the same order."""

    id: UUID
    party_id: UUID
    partner_id: UUID
    batch_no: int
    kind: str
    business_date: date
    received_at: datetime
    content: bytes
    verdicts: Sequence[Verdict] = ()

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.content)["rows"]
        return found

    def unread(self) -> list[UnreadRow]:
        """The rows for whom it is quicker to read their data himself, with types."""
        return _unread(self.content).rows


def take_batch(work: Work, signer: Signer, given: BatchIn, gzipped: bytes | None = None) -> UUID:
    """Keep a batch whose rows are what it declares; emits `exchange.batch.<kind>`. `gzipped` is what it was read from,
    if it came compressed.

    The same number with the same content, kind and day again is the same batch. Raises Forbidden, Conflict, Invalid.
    """
    _refuse_foreign_rows(work.session, signer, given)
    content = _canonical(given.rows) if given.content is None else given.content
    digest = sha256(content).hexdigest()
    if wrong := rules.mismatches(given.model_dump(exclude={"rows"}), given.rows, digest):
        raise Invalid(
            "declared_mismatch", "申报的数量、金额或摘要与内容不符", fields=dict.fromkeys(wrong, "与内容不符")
        )
    row = Batch(party_id=signer.party_id, partner_id=signer.partner_id, **given.model_dump(exclude={"rows"}))
    work.seal(row, "rows_sealed", _packed(content, gzipped if given.content is not None else None))
    if not batches.start_once(work, row, BatchState.RECEIVED, unless=["partner_id", "batch_no"]):
        return _same_as(work.session, row)
    work.emit(f"exchange.batch.{row.kind}", row.id)
    return row.id


def _same_as(session: Session, row: Batch) -> UUID:
    """The batch that has this one's number. Conflict if it is another one."""
    mine = (Batch.partner_id == row.partner_id, Batch.batch_no == row.batch_no)
    old = session.execute(select(Batch.id, Batch.sha256, Batch.kind, Batch.business_date).where(*mine)).one()
    if (old.sha256, old.kind, old.business_date) != (row.sha256, row.kind, row.business_date):
        raise Conflict("batch_no_reused", "这个批次号已经用于另一个批次")
    return old.id


def owners_of_batches(session: Session, batch_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Whose each batch is: the party."""
    found = select(Batch.id, Batch.party_id).where(Batch.id == any_(bindparam("ids", type_=Ids())))
    return {row.id: row.party_id for row in session.execute(found, {"ids": batch_ids})}


def open_batch(work: Work, batch_id: UUID) -> OpenBatch:
    """The content of a batch; the reading is audited."""
    return open_batches(work, [batch_id])[0]


def open_batches(work: Work, batch_ids: Sequence[UUID]) -> list[OpenBatch]:
    """The content of each of these; every reading is audited. NotFound."""
    batches.move(work, batch_ids, "open", lenient=True)  # first: who has one open already is waited for
    found = {row.id: row for row in work.session.scalars(_WHOLE, {"ids": list(batch_ids)})}
    if len(found) < len(set(batch_ids)):
        raise NotFound
    return [_opened(work, found[batch_id]) for batch_id in batch_ids]


def _opened(work: Work, row: Batch) -> OpenBatch:
    content = _unpack(work.reveal(row, "rows_sealed", row.kind))
    return OpenBatch(
        id=row.id,
        party_id=row.party_id,
        partner_id=row.partner_id,
        batch_no=row.batch_no,
        kind=row.kind,
        business_date=row.business_date,
        received_at=row.received_at,
        content=content,
        verdicts=_verdicts(row.verdicts),
    )


def settle_batch(work: Work, batch_id: UUID, verdicts: Sequence[Verdict]) -> None:
    """Keep one verdict for each row. The batch is refused when every row is; a later call refines the verdicts."""
    tally = Counter(map(_verdict, verdicts))
    refused = bool(verdicts) and set(tally) == {"refused"}
    values = {"verdicts": _runs(verdicts), "tally": dict(tally)}
    batches.move(work, [batch_id], "refuse" if refused else "apply", values=values)
    if "applied" in tally and refusals.any_open(work.session, batch_id):
        refusals.mend(work, batch_id, _rows(verdicts, "applied"))
    if "refused" in tally:
        refusals.note(work, batch_id, _rows(verdicts, "refused"))


def _rows(verdicts: Sequence[Verdict], wanted: str) -> list[tuple[str, str]]:
    return [(verdict.type, verdict.key) for verdict in verdicts if verdict.verdict == wanted]


def verdicts_of(session: Session, partner_id: UUID, batch_no: int) -> tuple[str, list[Verdict]]:
    """The batch's status and its verdicts, none before it is judged. NotFound for another partner's number."""
    mine = (Batch.partner_id == partner_id, Batch.batch_no == batch_no)
    found = session.execute(select(Batch.status, Batch.verdicts).where(*mine)).one_or_none()
    if found is None:
        raise NotFound("batch_unknown", "没有这个批次")
    return found.status, _verdicts(found.verdicts)


def _runs(verdicts: Sequence[Verdict]) -> list[Any]:
    """[type, verdict, reason, keys] of each run of rows with the same: most batches are one run."""
    return [[*same, list(map(_key, run))] for same, run in groupby(verdicts, key=_is_the_same)]


def _verdicts(runs: list[Any] | None) -> list[Verdict]:
    return [Verdict(kind, key, verdict, reason) for kind, verdict, reason, keys in runs or [] for key in keys]


def _refuse_foreign_rows(session: Session, signer: Signer, given: BatchIn) -> None:
    if given.kind not in rules.BATCH_KINDS.get(party_kind(session, signer.party_id), ()):
        raise Forbidden("batch_kind_not_allowed", "贵方不能推送这一类批次")
    if {row["type"] for row in given.rows} - rules.ROW_TYPES[given.kind]:
        raise Invalid("row_type_unknown", "批次中有不属于这一类的行", fields={"rows": "类型不在可选范围内"})


def _canonical(rows: Sequence[Any]) -> bytes:
    try:
        return rules.canonical(rows)
    except ValueError as error:
        raise Invalid("not_a_number", "批次中有不是数字的数值") from error


def _packed(content: bytes, gzipped: bytes | None) -> str:
    """Compressed before it is sealed, because sealed text no longer compresses; as it came, if it came compressed."""
    return b64encode(gzipped or zlib.compress(b'{"rows":%b}' % content, level=1)).decode()


def _unpack(packed: str) -> bytes:
    return zlib.decompress(b64decode(packed), wbits=_GZIP_OR_ZLIB)
