"""The figures of a run for one reader: the platform's finance sees all, a partner its own part."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from hashlib import sha256
from uuid import UUID

from sqlalchemy.orm import Session

from app.exchange import service as exchange
from app.reconciliation import queries
from app.reconciliation.engine.found import SETS
from app.reconciliation.engine.outcome import SCOPES
from app.reconciliation.models import Difference, PartyLedger, Run, Statement, Total
from app.reconciliation.states import RunState


@dataclass(frozen=True)
class TotalFigures:
    """Fen and rows; success + failure = total."""

    count: int = 0
    amount_fen: int = 0
    success_count: int = 0
    success_amount_fen: int = 0

    @property
    def failure_count(self) -> int:
        return self.count - self.success_count

    @property
    def failure_amount_fen(self) -> int:
        return self.amount_fen - self.success_amount_fen

    def __add__(self, other: TotalFigures | Total) -> TotalFigures:
        return TotalFigures(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(TotalFigures)))


@dataclass(frozen=True)
class StatementFigures:
    """Overall (all None) or of one hospital and one insurer: codes for programs, names for people."""

    hospital: str | None
    insurer: str | None
    sets: dict[str, int]
    amount_differs: int
    status_differs: int
    totals: dict[str, TotalFigures]
    hospital_name: str | None = None
    insurer_name: str | None = None

    def __add__(self, other: StatementFigures) -> StatementFigures:
        return StatementFigures(
            None,
            None,
            {name: self.sets[name] + other.sets[name] for name in SETS},
            self.amount_differs + other.amount_differs,
            self.status_differs + other.status_differs,
            {scope: self.totals[scope] + other.totals[scope] for scope in SCOPES},
        )


NOTHING = StatementFigures(None, None, dict.fromkeys(SETS, 0), 0, 0, {scope: TotalFigures() for scope in SCOPES})


@dataclass(frozen=True)
class PartyFigures:
    code: str
    name: str
    role: str
    status: str
    row_count: int | None
    readable_fen: int | None
    bad_count: int | None
    bad_at_source: int
    blocked_code: str | None


@dataclass(frozen=True)
class Figures:
    """`party_id` None: everything. `hospital` is the name of the only hospital that was compared, if it was one.
    `differences` are the first rows of the work list that this run saw,
    `differences_total` says how many there are and `told` is the same for two runs that saw the same."""

    day: date
    attempt: int
    status: str
    party_id: UUID | None
    hospital: str | None
    overall: StatementFigures
    groups: Sequence[StatementFigures]
    parties: Sequence[PartyFigures]
    differences: Sequence[Difference] = field(repr=False)
    differences_total: int
    told: str

    @property
    def digest(self) -> str:
        """The same for two runs that say the same."""
        told = [
            self.status,
            self.hospital,
            asdict(self.overall),
            [asdict(one) for one in self.groups],
            [asdict(one) for one in self.parties],
            self.told,
        ]
        return sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def figures(session: Session, run: Run, party_id: UUID | None = None, *, rows: int | None = None) -> Figures:
    """What the reader may see: with a `party_id` only what is about that hospital or insurer. At most `rows`
    differences are read."""
    kept = queries.statements(session, run.id)
    every = _statements(session, kept)
    groups = [
        figure
        for row, figure in zip(kept, every, strict=True)
        if not row.overall and (party_id is None or party_id in (row.hospital_id, row.insurer_id))
    ]
    if party_id is None:
        overall = next((figure for row, figure in zip(kept, every, strict=True) if row.overall), NOTHING)
    else:
        overall = _summed(groups)
    parties = [
        _party(session, row)
        for row in queries.ledgers(session, run.id)
        if party_id is None or row.party_id in (party_id, None)
    ]
    differences = queries.seen_in(session, run.id, party_id, rows)
    seen = queries.told_by(session, run.id, party_id)
    hospital = exchange.party(session, run.hospital_id).name if run.hospital_id else None
    status = _status(run, party_id, seen[0])
    return Figures(
        run.business_date, run.attempt, status, party_id, hospital, overall, groups, parties, differences, *seen
    )


def _status(run: Run, party_id: UUID | None, differences: int) -> str:
    """As the reader sees it: what does not agree between others is none of a party's business."""
    if party_id is None or run.status != RunState.DIFFERENCES:
        return run.status
    return RunState.DIFFERENCES if differences else RunState.BALANCED


def _summed(groups: Iterable[StatementFigures]) -> StatementFigures:
    total = NOTHING
    for group in groups:
        total += group
    return total


def _statements(session: Session, rows: Sequence[Statement]) -> list[StatementFigures]:
    ids = [row.id for row in rows]
    sets, totals = queries.set_counts(session, ids), queries.totals(session, ids)
    nothing = TotalFigures()
    return [
        StatementFigures(
            _code(session, row.hospital_id),
            _code(session, row.insurer_id),
            {name: sets[row.id][name] for name in SETS},
            row.amount_differs,
            row.status_differs,
            {scope: nothing + totals[row.id][scope] for scope in SCOPES},
            _name(session, row.hospital_id),
            _name(session, row.insurer_id),
        )
        for row in rows
    ]


def _party(session: Session, row: PartyLedger) -> PartyFigures:
    party = exchange.party(session, row.party_id) if row.party_id is not None else None
    return PartyFigures(
        party.code if party else "platform",
        party.name if party else "平台",
        row.role,
        row.status,
        row.row_count,
        row.readable_fen,
        row.bad_count,
        row.bad_at_source,
        row.blocked_code,
    )


def _code(session: Session, party_id: UUID | None) -> str | None:
    return exchange.party(session, party_id).code if party_id is not None else None


def _name(session: Session, party_id: UUID | None) -> str | None:
    return exchange.party(session, party_id).name if party_id is not None else None
