"""Which rows of the parties' books can be compared, and the comparison itself. No row is written here."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

import polars as pl
from redis import Redis
from sqlalchemy.orm import Session

from app.claim import queries as claims
from app.core.redis import connect
from app.exchange import service as exchange
from app.reconciliation import books, queries
from app.reconciliation.engine.compare import compare as compare_ledgers
from app.reconciliation.engine.ledger import HOSPITAL, INSURER, PLATFORM, Ledger
from app.reconciliation.engine.outcome import Outcome
from app.reconciliation.models import Run
from app.reconciliation.states import LedgerState

REDIS_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Material:
    """Everything that is compared. `arrived`: by role the party codes and their books; `blocked`: codes whose part is
    left out; `scope`: the one hospital of a narrowed run; `ids`: code -> party id."""

    day: date
    arrived: Mapping[str, Sequence[tuple[str, Ledger]]]
    blocked: Mapping[str, frozenset[str]]
    scope: str | None
    ids: Mapping[str, UUID]
    platform: Ledger


@dataclass(frozen=True)
class Compared:
    """`outcome` is None where nothing could be compared. `starts`: by role, after which line a party's rows begin."""

    material: Material
    outcome: Outcome | None
    starts: Mapping[str, Sequence[tuple[str, int]]] = field(default_factory=dict)

    def owner(self, role: str, line: int) -> tuple[str | None, int]:
        """The code of the party whose row stands at a line of the role's joint book, and its line in its own."""
        starts = self.starts.get(role, ())
        place = bisect_left([before for _, before in starts], line) - 1
        return (None, line) if place < 0 else (starts[place][0], line - starts[place][1])


def gather(session: Session, run: Run) -> Material:
    """The books of a run, and the platform's own as it reads now."""
    ids = {p.code: p.id for kind in (HOSPITAL, INSURER) for p in exchange.parties(session, kind)}
    codes = {party_id: code for code, party_id in ids.items()}
    arrived: dict[str, list[tuple[str, Ledger]]] = {HOSPITAL: [], INSURER: []}
    blocked: dict[str, set[str]] = {HOSPITAL: set(), INSURER: set()}
    for row in queries.ledgers(session, run.id, packed=True):
        if row.role == PLATFORM or row.party_id is None:
            continue
        code = codes[row.party_id]
        if row.status == LedgerState.ARRIVED and row.packed is not None:
            arrived[row.role].append((code, books.unpack(row.packed)))
        else:
            blocked[row.role].add(code)
    own = claims.clearing_ledger(session, run.business_date)
    platform = books.from_copy(own, {str(party_id): code for party_id, code in codes.items()})
    scope = codes[run.hospital_id] if run.hospital_id else None
    return Material(
        run.business_date, arrived, {role: frozenset(names) for role, names in blocked.items()}, scope, ids, platform
    )


def compare(redis_url: str, material: Material) -> Compared:
    """Compare every (hospital, insurer) whose two books arrived. RedisError, WorkingSetLost: try again."""
    if not all(material.arrived.values()):
        return Compared(material, None)
    parties, starts = {}, {}
    for role in (HOSPITAL, INSURER):
        parties[role], starts[role] = books.of_role(role, material.arrived[role])
    parties = _comparable(material, parties)
    with _workroom(redis_url) as redis:
        outcome = compare_ledgers(redis, material.day, parties)
    return Compared(material, outcome, starts)


def _workroom(redis_url: str) -> Redis:
    return connect(redis_url, timeout_s=REDIS_TIMEOUT_S)


def _comparable(material: Material, parties: Mapping[str, Ledger]) -> dict[str, Ledger]:
    """Without the rows of pairs that have no book of one side: what is not there yet is not missing."""
    compared = pl.col(HOSPITAL).is_in([code for code, _ in material.arrived[HOSPITAL]])
    compared &= pl.col(INSURER).is_in([code for code, _ in material.arrived[INSURER]])
    platform = books.only(material.platform, compared)
    left_out = material.platform.rows.filter(~compared)["number"].implode()
    found = {role: books.only(book, ~pl.col("number").is_in(left_out)) for role, book in parties.items()}
    if material.scope is not None:
        known = pl.concat([platform.rows["number"], found[HOSPITAL].rows["number"]]).implode()
        found[INSURER] = books.only(found[INSURER], pl.col("number").is_in(known))
    return {HOSPITAL: found[HOSPITAL], PLATFORM: platform, INSURER: found[INSURER]}
