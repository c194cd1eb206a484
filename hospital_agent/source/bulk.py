"""The bulk lane: everything that changed, in the source's idle time, parents before children."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from threading import Event

from hospital_agent import log
from hospital_agent.batch import Parcel
from hospital_agent.mapping.model import Entity, Record, batch_kind
from hospital_agent.sections import BulkConfig
from hospital_agent.source import gone, marks
from hospital_agent.source.idle import IdleTime, NotNow
from hospital_agent.source.lenient import Unread
from hospital_agent.source.records import PARTITION, Reading, Records, key_values, read_rows
from hospital_agent.store.lines import CHANGED
from hospital_agent.store.spool import INCOMPLETE, WHOLE, Contended, Spool


@dataclass
class _Portion:
    """Rows read and not yet spooled, with the marks that hold once they are."""

    reading: Reading = field(default_factory=Reading)
    marks: dict[str, str] = field(default_factory=dict)


class BulkLane:
    """One scan after the other over all entities of the mapping."""

    def __init__(self, idle: IdleTime, spool: Spool, config: BulkConfig, stop: Event) -> None:
        self._idle, self._source, self._spool, self._config, self._stop = idle, idle.source, spool, config, stop
        self._left: list[str] = []
        self.on_spooled: Callable[[], None] = lambda: None

    def scan(self) -> int:
        """One pass over the source; answers the number of batches spooled. Raises NotNow, Temporary.

        By day it reads on from high-water marks, and never a table whole.
        """
        spooled = self._finish_patients()
        for kind in ("catalogue", "record"):
            entities = [e for e in self._source.mapping.pushed() if batch_kind(e.name) == kind]
            spooled += self._scan_kind(kind, [e for e in entities if self._may_read(e)])
        spooled += self._look_at_changed_bills()
        self._tell_left()
        return spooled

    def _tell_left(self) -> None:
        """Once, so that who installs an agent by day knows why nothing comes."""
        left = [e.name for e in self._source.mapping.pushed() if not self._may_read(e)]
        if left != self._left:
            log.info("left_for_the_night", entities=left)
        self._left = left

    def _finish_patients(self) -> int:
        """Everything of patients of whom a pull could not read everything."""
        spooled = 0
        entities = [e for e in self._source.mapping.pushed() if e.patient and batch_kind(e.name) == "record"]
        for patient_no in self._spool.incomplete():
            date = str(self._source.parameters()["business_date"])
            done = {f"{INCOMPLETE}{patient_no}": "", f"{WHOLE}{patient_no}": date}
            read_at, portion = self._spool.position(), _Portion(marks=done)
            with self._idle.reading(self._config.statement_timeout_ms) as records:
                for entity in entities:
                    found = records.of_patient(entity, patient_no)
                    read_rows(self._source.mapping, entity, found, portion.reading)
            spooled += self._spool_portion("record", portion, read_at)
        return spooled

    def _look_at_changed_bills(self) -> int:
        """Their lines, by key and so at any hour: those that were deleted in the source are taken back."""
        mapping, spooled = self._source.mapping, 0
        if not {"bill", "fee_line"} <= mapping.entities.keys():
            return 0
        changed = self._spool.lines.changed_bills()
        for start in range(0, len(changed), gone.BILLS):
            keys, portion, read_at = changed[start : start + gone.BILLS], _Portion(), self._spool.position()
            sent = self._spool.lines.of_bills(keys)
            with self._idle.reading(self._config.statement_timeout_ms) as records:
                done = gone.read_bills(mapping, records, keys, sent, portion.reading)
            portion.marks = {f"{CHANGED}{key}": "" for key in done}
            spooled += self._spool_portion("record", portion, read_at)
        return spooled

    def _may_read(self, entity: Entity) -> bool:
        """An entity whose first load is through is read on from its mark at any hour, anything else by night."""
        loaded = entity.changed is not None and self._spool.mark(f"loaded:{entity.name}") is not None
        return loaded or self._idle.is_night()

    def _scan_kind(self, kind: str, entities: Sequence[Entity]) -> int:
        if not entities:
            return 0
        read_at = self._spool.position()
        spooled = 0
        portion = _Portion()
        with self._idle.reading(self._config.statement_timeout_ms) as records:
            for entity in entities:
                for part, mark in self._parts(records, entity):
                    read_rows(self._source.mapping, entity, part, portion.reading)
                    portion.marks.update(mark)
                    if len(portion.reading.rows) >= PARTITION:
                        spooled += self._spool_portion(kind, portion, read_at)
                        portion = _Portion()
                        if not self._may_read(entity):
                            raise NotNow("by_night_only")
        return spooled + self._spool_portion(kind, portion, read_at)

    def _parts(self, records: Records, entity: Entity) -> Iterator[tuple[Sequence[Record], dict[str, str]]]:
        """Partitions, each with the mark that holds once it is spooled."""
        name = f"bulk:{entity.name}"
        known = self._spool.mark(name)
        last = marks.decode(known) if known else None
        if entity.changed:
            since = marks.back(last, entity.overlap_s) if last is not None else None
            for part in records.changed_since(entity, since, unmarked=self._idle.is_night()):
                yield part, self._changed_mark(name, entity, part)
            yield [], {f"loaded:{entity.name}": marks.encode(True)}
            return
        limit, count = self._config.window_rows, 0
        for part in records.after_key(entity, last, limit):
            count += len(part)
            yield part, {name: marks.encode(key_values(entity, part[-1]))} if count == limit else {}
        if count < limit and last is not None:
            yield [], {name: marks.encode(None)}

    def _changed_mark(self, name: str, entity: Entity, part: Sequence[Record]) -> dict[str, str]:
        assert entity.changed is not None
        times = [at for r in part if (at := r[entity.changed]) is not None and not isinstance(at, Unread)]
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
        """Give way to the source's own work, and hold back while earlier batches wait for the network."""
        self._idle.ask()
        for _ in range(100):
            if self._stop.is_set():
                raise NotNow("agent_stops")
            if len(self._spool.unsent()) < self._config.spool_batches:
                return
            self._stop.wait(0.05)
        raise NotNow("spool_full")
