"""The lane of a waiting patient: one patient or one bill by indexed keys, small, capped and at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from hospital_agent import log
from hospital_agent.batch import Parcel
from hospital_agent.errors import Temporary
from hospital_agent.mapping.model import RECORD, Entity, Record
from hospital_agent.sections import PullConfig
from hospital_agent.source.bulk import SourceLink
from hospital_agent.source.engine import snapshot
from hospital_agent.source.records import Reading, Records, read_rows
from hospital_agent.store.spool import Contended, Spool


class Pace:
    """At most so many a second; who would have to wait longer than `patience_s` is turned away as Temporary."""

    def __init__(self, per_second: float, patience_s: float = 5.0) -> None:
        self._step_s, self._patience_s = 1 / per_second, patience_s
        self._next_s = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        with self._lock:
            now_s = time.monotonic()
            at_s = max(self._next_s, now_s)
            if at_s - now_s > self._patience_s:
                raise Temporary("pull_rate")
            self._next_s = at_s + self._step_s
        time.sleep(at_s - now_s)


class PatientLane:
    """Reads what a waiting patient needs and spools what changed of it."""

    def __init__(self, source: SourceLink, spool: Spool, config: PullConfig) -> None:
        self._source, self._spool, self._config = source, spool, config
        self._pace = Pace(config.per_second)
        self.on_spooled: Callable[[], None] = lambda: None

    def find(self, entity: Entity, columns: Sequence[str], values: Sequence[str]) -> Reading:
        """Rows of an entity by a few of its columns, for the asker alone. Raises Temporary."""
        self._pace.wait()
        found = Reading()
        with snapshot(self._source.engine, self._config.statement_timeout_ms) as connection:
            records = Records(connection, self._source.mapping, self._source.parameters())
            read_rows(self._source.mapping, entity, records.where(entity, columns, values), found)
        return found

    def patient(self, patient_no: str) -> list[int]:
        """Everything of one patient. Raises Temporary."""

        def read(records: Records) -> Reading:
            reading = Reading()
            for entity in self._entities():
                if entity.patient:
                    found = records.of_patient(entity, patient_no, self._config.max_rows)
                    read_rows(self._source.mapping, entity, found, reading)
            return reading

        return self._spool_reading(read)

    def bill(self, bill_key: str) -> list[int]:
        """One bill with its visit, lines and e-bill: what a settlement has changed. Raises Temporary."""

        def read(records: Records) -> Reading:
            reading = Reading()
            found = {"bill": self._by_key(records, "bill", [bill_key])}
            mapping = self._source.mapping
            visit_rule = mapping.entities["bill"].fields["visit_key"]
            visits = [visit_rule.value(r, mapping.conventions) for r in found["bill"]]
            found["visit"] = self._by_key(records, "visit", [v for v in visits if v])
            for child in ("fee_line", "e_bill"):
                found[child] = self._by_bill(records, child, bill_key)
            for entity in self._entities():
                read_rows(mapping, entity, found.get(entity.name, []), reading)
            return reading

        return self._spool_reading(read)

    def _entities(self) -> list[Entity]:
        return [self._source.mapping.entities[n] for n in RECORD if n in self._source.mapping.entities]

    def _by_key(self, records: Records, name: str, keys: Sequence[str]) -> Sequence[Record]:
        entity = self._source.mapping.entities.get(name)
        return records.where(entity, entity.key, keys) if entity and keys else []

    def _by_bill(self, records: Records, name: str, bill_key: str) -> Sequence[Record]:
        entity = self._source.mapping.entities.get(name)
        columns = entity.fields["bill_key"].columns if entity else ()
        return records.where(entity, columns, [bill_key]) if entity and columns else []

    def _spool_reading(self, read: Callable[[Records], Reading]) -> list[int]:
        self._pace.wait()
        for _ in range(5):
            read_at = self._spool.position()
            with snapshot(self._source.engine, self._config.statement_timeout_ms) as connection:
                reading = read(Records(connection, self._source.mapping, self._source.parameters()))
            for bad in self._spool.note_bad(reading.bad):
                log.warning("bad_row", type=bad[0], key=bad[1], reason=bad[2])
            try:
                date = str(self._source.parameters()["business_date"])
                numbers = self._spool.put(Parcel("record", date, reading.rows, read_at))
            except Contended:
                continue
            if numbers:
                self.on_spooled()
            return numbers
        raise Temporary("source_contended")
