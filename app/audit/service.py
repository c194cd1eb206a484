"""Writing entries, sealing them into the chain, and proving that the chain is whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Table, bindparam, cast, func, select, text, update
from sqlalchemy.orm import Session

from app.audit.models import AuditEntry
from app.audit.rules import GENESIS, entry_hash
from app.core.columns import Group, add_groups
from app.core.work import Actor, AuditFact, Work

SEAL_BATCH = 5000
_SEALER_LOCK = 0x5A500001
# Inserted without the unit of work: every transaction writes some.
_ENTRY: Table = AuditEntry.__table__  # type: ignore[assignment]


def write(session: Session, actor: Actor, facts: Sequence[AuditFact]) -> None:
    """Insert the facts of one transaction with its data."""
    who = {"actor_kind": actor.kind, "actor_id": actor.id, "request_id": actor.request_id}
    add_groups(session, _ENTRY, [_entries(who, fact) for fact in facts])


def _entries(who: Mapping[str, str], fact: AuditFact) -> Group:
    same = {
        "action": fact.action,
        "subject_type": fact.subject_type,
        "from_status": fact.from_status,
        "to_status": fact.to_status,
        "detail": dict(fact.detail),
    }
    return Group([{"subject_id": subject_id} for subject_id in fact.subject_ids], {**who, **same})


def seal(work: Work) -> int:
    """Chain the entries that no running transaction can still precede; how many were chained.

    An entry is ready when its transaction is older than the oldest one that still runs: later ones cannot commit an
    entry in front of it. One sealer at a time; a second one finds the lock taken and does nothing.
    """
    if not work.session.scalar(select(func.pg_try_advisory_xact_lock(_SEALER_LOCK))):
        return 0
    oldest = cast(text("pg_snapshot_xmin(pg_current_snapshot())::text"), BigInteger)
    ready = work.session.scalars(
        select(AuditEntry)
        .where(AuditEntry.seq.is_(None), AuditEntry.xid < oldest)
        .order_by(AuditEntry.xid, AuditEntry.id)
        .limit(SEAL_BATCH)
    ).all()
    seq, prev = _head(work.session)
    links = []
    for entry in ready:
        seq += 1
        link = entry_hash(prev, seq, _micros(entry.at), entry)
        links.append({"b_id": entry.id, "seq": seq, "prev_hash": prev, "hash": link})
        prev = link
    if links:
        by_id = update(AuditEntry).where(AuditEntry.id == bindparam("b_id"))
        work.session.connection().execute(by_id.execution_options(synchronize_session=False), links)
    return len(links)


@dataclass(frozen=True)
class ChainReport:
    """`broken_at` is the seq of the first entry that does not fit, None while the chain holds."""

    entries: int
    unsealed: int
    broken_at: int | None


def verify(session: Session) -> ChainReport:
    """Walk the whole chain and recompute every hash."""
    seq, prev = 0, GENESIS
    while batch := _after(session, seq):
        for entry in batch:
            fits = entry.seq == seq + 1 and entry.prev_hash == prev
            if not fits or entry.hash != entry_hash(prev, seq + 1, _micros(entry.at), entry):
                return ChainReport(seq, _unsealed(session), seq + 1)
            seq, prev = seq + 1, entry.hash
    return ChainReport(seq, _unsealed(session), None)


def _after(session: Session, seq: int) -> Sequence[AuditEntry]:
    chained = select(AuditEntry).where(AuditEntry.seq > seq).order_by(AuditEntry.seq)
    return session.scalars(chained.limit(SEAL_BATCH)).all()


def _unsealed(session: Session) -> int:
    return session.scalar(select(func.count()).where(AuditEntry.seq.is_(None))) or 0


def _head(session: Session) -> tuple[int, str]:
    last = session.execute(
        select(AuditEntry.seq, AuditEntry.hash)
        .where(AuditEntry.seq.is_not(None))
        .order_by(AuditEntry.seq.desc())
        .limit(1)
    ).one_or_none()
    return (last.seq, last.hash) if last else (0, GENESIS)


def _micros(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond
