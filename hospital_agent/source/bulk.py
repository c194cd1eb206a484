"""The bulk lane: everything that changed, in the source's idle time, parents before children."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from sqlalchemy.engine import Engine

from hospital_agent import log
from hospital_agent.batch import Parcel
from hospital_agent.errors import AgentError
from hospital_agent.mapping.model import Entity, Record, SourceMapping, batch_kind
from hospital_agent.sections import BulkConfig
from hospital_agent.source import marks
from hospital_agent.source.engine import snapshot
from hospital_agent.source.probe import Probe
from hospital_agent.source.records import PARTITION, Reading, Records, key_values, read_rows
from hospital_agent.store.spool import Contended, Spool


class NotNow(AgentError):
    """The scan stopped early: the source is busy, the spool is full, or the agent stops. It resumes at its marks."""


@dataclass(frozen=True)
class SourceLink:
    """A source that can be read: engine, mapping, the mapping's binds, and today's business date."""

    engine: Engine
    mapping: SourceMapping
    parameters: Callable[[], Mapping[str, Any]]


@dataclass
class _Portion:
    """Rows read and not yet spooled, with the marks that hold once they are."""

    reading: Reading = field(default_factory=Reading)
    marks: dict[str, str] = field(default_factory=dict)


class BulkLane:
    """One scan after the other over all entities of the mapping."""

    def __init__(self, source: SourceLink, spool: Spool, config: BulkConfig, probe: Probe, stop: Event) -> None:
        self._source, self._spool, self._config, self._probe, self._stop = source, spool, config, probe, stop
        self.on_spooled: Callable[[], None] = lambda: None

    def scan(self) -> int:
        """One pass over the source; answers the number of batches spooled. Raises NotNow, Temporary."""
        spooled = 0
        for kind in ("catalogue", "record"):
            entities = [e for e in self._source.mapping.pushed() if batch_kind(e.name) == kind]
            spooled += self._scan_kind(kind, entities)
        return spooled

    def _scan_kind(self, kind: str, entities: Sequence[Entity]) -> int:
        read_at = self._spool.position()
        spooled = 0
        portion = _Portion()
        with snapshot(self._source.engine, self._config.statement_timeout_ms) as connection:
            records = Records(connection, self._source.mapping, self._source.parameters())
            for entity in entities:
                for part, mark in self._parts(records, entity):
                    read_rows(self._source.mapping, entity, part, portion.reading)
                    portion.marks.update(mark)
                    if len(portion.reading.rows) >= PARTITION:
                        spooled += self._spool_portion(kind, portion, read_at)
                        portion = _Portion()
        return spooled + self._spool_portion(kind, portion, read_at)

    def _parts(self, records: Records, entity: Entity) -> Iterator[tuple[Sequence[Record], dict[str, str]]]:
        """Partitions, each with the mark that holds once it is spooled."""
        name = f"bulk:{entity.name}"
        known = self._spool.mark(name)
        last = marks.decode(known) if known else None
        if entity.changed:
            since = marks.back(last, entity.overlap_s) if last is not None else None
            for part in records.changed_since(entity, since):
                yield part, self._changed_mark(name, entity, part)
            return
        limit, count = self._config.window_rows, 0
        for part in records.after_key(entity, last, limit):
            count += len(part)
            yield part, {name: marks.encode(key_values(entity, part[-1]))} if count == limit else {}
        if count < limit and last is not None:
            yield [], {name: marks.encode(None)}

    def _changed_mark(self, name: str, entity: Entity, part: Sequence[Record]) -> dict[str, str]:
        assert entity.changed is not None
        times = [r[entity.changed] for r in part if r[entity.changed] is not None]
        if not times:
            return {}
        return {name: marks.encode(marks.capped(max(times), self._source.mapping.conventions.zone))}

    def _spool_portion(self, kind: str, portion: _Portion, read_at: int) -> int:
        for bad in self._spool.note_bad(portion.reading.bad):
            log.warning("bad_row", type=bad[0], key=bad[1], reason=bad[2])
        if not portion.reading.rows and not portion.marks:
            return 0
        self._wait_for_room()
        date = str(self._source.parameters()["business_date"])
        try:
            numbers = self._spool.put(Parcel(kind, date, portion.reading.rows, read_at, marks=portion.marks))
        except Contended as error:
            raise NotNow("contended") from error
        if numbers:
            self.on_spooled()
        return len(numbers)

    def _wait_for_room(self) -> None:
        """Hold back while earlier batches wait for the network, and give way to the source's own work."""
        for _ in range(100):
            if self._stop.is_set() or not self._probe.is_idle():
                raise NotNow("busy")
            if len(self._spool.unsent()) < self._config.spool_batches:
                return
            self._stop.wait(0.05)
        raise NotNow("spool_full")
