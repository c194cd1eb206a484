"""Which rows of the parties' books can be compared, and the comparison itself. No row is written here."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import polars as pl
from sqlalchemy.orm import Session

from app.claim.queries import clearing
from app.exchange import service as exchange
from app.reconciliation import books, queries
from app.reconciliation.engine import parts
from app.reconciliation.engine.compare import compare as compare_ledgers
from app.reconciliation.engine.ledger import HOSPITAL, INSURER, PLATFORM, Ledger
from app.reconciliation.engine.outcome import Outcome, combine
from app.reconciliation.engine.parts import Part
from app.reconciliation.engine.workroom import workroom
from app.reconciliation.engine.workspace import sweep
from app.reconciliation.models import Run
from app.reconciliation.states import LedgerState


@dataclass(frozen=True)
class Attendance:
    """Whose books are compared. `present` and `blocked`: party codes by role; `starts`: by role, after which line of
    the role's joint book a party's rows begin; `ids`: code -> party id."""

    present: Mapping[str, Sequence[str]]
    blocked: Mapping[str, Sequence[str]]
    starts: Mapping[str, Sequence[tuple[str, int]]]
    ids: Mapping[str, UUID]

    def owner(self, role: str, line: int) -> tuple[str | None, int]:
        """The code of the party whose row stands at a line of the role's joint book, and its line in its own."""
        starts = self.starts.get(role, ())
        place = bisect_left([before for _, before in starts], line) - 1
        return (None, line) if place < 0 else (starts[place][0], line - starts[place][1])

    def as_json(self) -> dict[str, Any]:
        return {
            "present": {role: list(codes) for role, codes in self.present.items()},
            "blocked": {role: list(codes) for role, codes in self.blocked.items()},
            "starts": {role: [list(start) for start in starts] for role, starts in self.starts.items()},
            "ids": {code: str(party_id) for code, party_id in self.ids.items()},
        }

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Attendance:
        starts = {role: [(code, line) for code, line in starts] for role, starts in said["starts"].items()}
        ids = {code: UUID(party_id) for code, party_id in said["ids"].items()}
        return cls(said["present"], said["blocked"], starts, ids)


@dataclass(frozen=True)
class Material:
    """The books of a run. `arrived`: by role the party codes and their books; `blocked`: codes whose part is left out;
    `scope`: the one hospital of a narrowed run; `ids`: code -> party id."""

    day: date
    arrived: Mapping[str, Sequence[tuple[str, Ledger]]]
    blocked: Mapping[str, frozenset[str]]
    scope: str | None
    ids: Mapping[str, UUID]
    platform: Ledger


@dataclass(frozen=True)
class Compared:
    """`outcome` is None where nothing could be compared."""

    attendance: Attendance
    outcome: Outcome | None


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
    own = clearing.clearing_ledger(session, run.business_date)
    platform = books.from_copy(own, {str(party_id): code for party_id, code in codes.items()})
    scope = codes[run.hospital_id] if run.hospital_id else None
    return Material(
        run.business_date, arrived, {role: frozenset(names) for role, names in blocked.items()}, scope, ids, platform
    )


def share_out(material: Material) -> tuple[Attendance, Iterator[Part]]:
    """The comparison of every (hospital, insurer) whose two books arrived, in parts; none where a whole role is
    missing."""
    has_both = all(material.arrived.values())
    parties, starts = {}, {}
    for role in (HOSPITAL, INSURER):
        parties[role], starts[role] = books.of_role(role, material.arrived[role])
    attendance = Attendance(
        {role: [code for code, _ in arrived] for role, arrived in material.arrived.items()},
        {role: sorted(codes) for role, codes in material.blocked.items()},
        starts,
        material.ids,
    )
    return attendance, parts.split(material.day, _comparable(material, parties)) if has_both else iter(())


def compare_part(redis_url: str, day: date, parties: Mapping[str, Ledger], mark: str = "") -> Outcome:
    """RedisError, WorkingSetLost: try again. `mark` is on every key, so that `clear_up` finds what a killed worker
    has left."""
    with workroom(redis_url) as redis:
        return compare_ledgers(redis, day, parties, mark)


def clear_up(redis_url: str, mark: str) -> int:
    """Remove what is left of a night's working set; how many keys there were."""
    with workroom(redis_url) as redis:
        return sweep(redis, mark)


def compare(redis_url: str, material: Material) -> Compared:
    """The whole comparison at once, as a dry run does it."""
    attendance, shared = share_out(material)
    outcomes = [compare_part(redis_url, material.day, part.parties) for part in shared]
    return Compared(attendance, combine(outcomes) if outcomes else None)


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
