"""The source part of `--doctor`: can it be told when the source is busy, may it only be read, do rows fit and indexes
serve?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from hospital_agent.errors import BadValue, Temporary
from hospital_agent.mapping.model import Entity, Record
from hospital_agent.mapping.values import to_date
from hospital_agent.sections import BulkConfig
from hospital_agent.source import plans, statements
from hospital_agent.source.dialects import manners_of
from hospital_agent.source.engine import SourceLink, snapshot
from hospital_agent.source.idle import IdleTime, NotNow
from hospital_agent.source.probe import ActiveSessions
from hospital_agent.source.records import Reading, Records, read_rows

SAMPLE_ROWS = 50
TIMEOUT_MS = 5_000
_BY_KEY = frozenset({"visit", "bill"})
_BY_FIELD = {"fee_line": "bill_key", "e_bill": "bill_key", "patient": "document_no"}
"""What pulls ask for beside one patient's rows."""


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `advice` says what to mend, empty when nothing is; with a `warning` the agent works."""

    name: str
    advice: str = ""
    warning: bool = False


def examine(idle: IdleTime, config: BulkConfig) -> Iterator[Finding]:
    """Rows are looked at only while the source is idle."""
    engine = idle.source.engine
    sessions = ActiveSessions(engine, config.max_active, config.busy_query)
    grant = "busy_query answers no number" if config.busy_query else manners_of(engine.dialect).busy_grant
    yield Finding("source sessions", "" if sessions.ask() is not None else f"the account cannot count them: {grant}")
    yield _writable(idle.source)
    try:
        idle.ask()
    except NotNow:
        yield Finding("source rows", "the source is busy now or the hour not allowed: they were not read", warning=True)
        return
    for entity in [*idle.source.mapping.entities.values(), *idle.source.mapping.ledger.values()]:
        yield from _entity(idle.source, entity)


def _writable(source: SourceLink) -> Finding:
    query = manners_of(source.engine.dialect).writable_query
    try:
        with snapshot(source.engine, TIMEOUT_MS) as connection:
            count = connection.execute(sa.text(query)).scalar() if query else 0
    except Temporary as error:
        return Finding("source rights", f"cannot be asked for: {error}", warning=True)
    advice = "this account may write: give it one that may only read"
    return Finding("source rights", advice if count else "", warning=True)


def _entity(source: SourceLink, entity: Entity) -> Iterator[Finding]:
    """Can it be read, do its first rows fit, and are one patient's found by an index?"""
    reading, whole = Reading(), list[str]()
    try:
        with snapshot(source.engine, TIMEOUT_MS) as connection:
            records = Records(connection, source.mapping, source.parameters())
            part = next(iter(records.after_key(entity, None, SAMPLE_ROWS)), [])
            read_rows(source.mapping, entity, part, reading)
            unfound = _unfound_by_day(records, entity, part, source.mapping.conventions.zone)
            if part and entity.name in source.mapping.entities:
                whole = list(_read_whole(connection, entity, part[0], records.parameters))
    except (Temporary, KeyError, SQLAlchemyError) as error:
        yield Finding(f"source {entity.name}", f"cannot be read: {_cause(error)}")
        return
    reasons = sorted({reason for _, _, reason in reading.bad})
    advice = f"{len(reading.bad)} of the first {len(part)} rows cannot be sent: {'; '.join(reasons)}"
    yield Finding(f"source {entity.name}", advice if reasons else unfound, warning=not part)
    if whole:
        yield Finding(f"index for {entity.name}", f"a waiting patient's pull reads whole tables: {'; '.join(whole)}")


def _cause(error: Exception) -> str:
    """With the driver's kind of error where the query is at fault; its text might hold values."""
    said, driver = str(error) or type(error).__name__, getattr(error.__cause__, "orig", None)
    return f"{said} ({type(driver).__name__})" if said == "source_query_failed" and driver else said


def _unfound_by_day(records: Records, entity: Entity, part: Sequence[Record], zone: ZoneInfo) -> str:
    """Are the rows that were read found again when their business date is asked for?"""
    column = entity.business_date
    if column is None:
        return ""
    if not part:
        return f"no row yet: whether a day's rows are found by {column} could not be tried"
    try:
        days = {day: like for like in part if (day := to_date(like[column], zone))}
        lost = [d for d, like in days.items() if not records.of_day(entity, date.fromisoformat(d), _key(entity, like))]
    except BadValue as error:
        return f"{column}: {error}; name another column, or make a date of it in sql"
    if not days:
        return f"{column}: no date in the first {len(part)} rows"
    return (
        f"{len(lost)} of {len(days)} days are not found by {column}: it tells days in more than one way" if lost else ""
    )


def _key(entity: Entity, record: Record) -> list[object]:
    return [record[name] for name in entity.key]


def _read_whole(connection: Connection, entity: Entity, like: Record, parameters: Mapping[str, Any]) -> Iterator[str]:
    """What pulls of this entity would read row by row, each with the columns that want an index."""
    asked: list[tuple[Sequence[str], sa.Select[Any]]] = []
    if entity.patient and like[entity.patient] is not None:
        asked.append(([entity.patient], statements.of_patient(entity, like[entity.patient]).limit(SAMPLE_ROWS)))
    names = entity.key if entity.name in _BY_KEY else ()
    if entity.name in _BY_FIELD:
        names = entity.fields[_BY_FIELD[entity.name]].columns
    if names:
        asked.append((names, statements.where(entity, names, [[like[name] for name in names]])))
    for columns, statement in asked:
        tables = plans.read_whole(connection, statement, parameters)
        named = [entity.table or table if table == statements.ALIAS else table for table in tables]
        if named:
            yield f"{', '.join(named)} for {', '.join(columns)}"
