"""The lane of a waiting patient: one patient or one bill by indexed keys, small, capped and at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy.engine import Engine

from hospital_agent import log
from hospital_agent.batch import Parcel
from hospital_agent.errors import Temporary
from hospital_agent.mapping.model import RECORD, Entity, Record
from hospital_agent.sections import PullConfig
from hospital_agent.source.engine import SourceLink, snapshot
from hospital_agent.source.records import Budget, Reading, Records, read_rows
from hospital_agent.store.spool import INCOMPLETE, WHOLE, Contended, Spool


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


@dataclass(frozen=True)
class Pulled:
    """What a pull has spooled. Not `complete`: there was more than a pull may read, and the bulk lane follows."""

    batch_nos: list[int]
    complete: bool = True


@dataclass
class _Found:
    """Records by entity, and whose they are."""

    patient_no: str | None
    records: dict[str, Sequence[Record]] = field(default_factory=dict)


class PatientLane:
    """Reads what a waiting patient needs, also while the source is busy, and spools what changed of it.

    `replica` serves one patient's rows where there is one. A bill that was just settled is read from the source itself,
    which alone is sure to know of it.
    """

    def __init__(self, source: SourceLink, spool: Spool, config: PullConfig, replica: Engine | None = None) -> None:
        self._source, self._spool, self._config = source, spool, config
        self._replica = source.engine if replica is None else replica
        self._pace = Pace(config.per_second)
        self.on_spooled: Callable[[], None] = lambda: None

    @contextmanager
    def reading(self, engine: Engine | None = None) -> Iterator[tuple[Records, Budget]]:
        """One snapshot at the lane's pace, of at most `max_rows` rows in all; of the replica where no engine is said.
        Raises Temporary."""
        self._pace.wait()
        budget = Budget(self._config.max_rows)
        with snapshot(engine or self._replica, self._config.statement_timeout_ms) as connection:
            yield Records(connection, self._source.mapping, self._source.parameters(), budget), budget

    def find(self, entity: Entity, columns: Sequence[str], values: Sequence[str]) -> Reading:
        """Rows of an entity by a few of its columns, for the asker alone. Raises Temporary."""
        found = Reading()
        with self.reading() as (records, _):
            read_rows(self._source.mapping, entity, records.where(entity, columns, values), found)
        return found

    def patient(self, patient_no: str) -> Pulled:
        """The newest rows of one patient; each entity gets its part of what others left. Raises Temporary."""
        wanted = [entity for entity in self._entities() if entity.patient]

        def read(records: Records) -> _Found:
            found = _Found(patient_no)
            for done, entity in enumerate(sorted(wanted, key=lambda one: one.name == "fee_line")):
                found.records[entity.name] = records.of_patient(entity, patient_no, len(wanted) - done)
            return found

        return self._spool_what(self._replica, read)

    def bill(self, bill_key: str) -> Pulled:
        """One bill with its visit, e-bill and lines: what a settlement has changed. Raises Temporary."""

        def read(records: Records) -> _Found:
            mapping = self._source.mapping
            bills = self._by_key(records, "bill", [bill_key])
            visit_rule, patient = mapping.entities["bill"].fields["visit_key"], mapping.entities["bill"].patient
            visits = [visit_rule.value(r, mapping.conventions) for r in bills]
            found = _Found(bills[0][patient] if bills and patient else None, {"bill": bills})
            found.records["visit"] = self._by_key(records, "visit", [v for v in visits if v])
            for child in ("e_bill", "fee_line"):
                found.records[child] = self._by_bill(records, child, bill_key)
            return found

        return self._spool_what(self._source.engine, read)

    def _entities(self) -> list[Entity]:
        return [self._source.mapping.entities[n] for n in RECORD if n in self._source.mapping.entities]

    def _by_key(self, records: Records, name: str, keys: Sequence[str]) -> Sequence[Record]:
        entity = self._source.mapping.entities.get(name)
        return records.where(entity, entity.key, keys) if entity and keys else []

    def _by_bill(self, records: Records, name: str, bill_key: str) -> Sequence[Record]:
        entity = self._source.mapping.entities.get(name)
        columns = entity.fields["bill_key"].columns if entity else ()
        return records.where(entity, columns, [bill_key]) if entity and columns else []

    def _spool_what(self, engine: Engine, read: Callable[[Records], _Found]) -> Pulled:
        for _ in range(5):
            read_at, reading = self._spool.position(), Reading()
            with self.reading(engine) as (records, budget):
                found = read(records)
            for entity in self._entities():
                read_rows(self._source.mapping, entity, found.records.get(entity.name, []), reading)
            for bad in self._spool.note_bad(reading.bad):
                log.warning("bad_row", type=bad[0], key=bad[1], reason=bad[2])
            more = budget.cut and not self._is_known(found.patient_no, reading)
            try:
                numbers = self._spool.put(self._parcel(engine, reading, read_at, found.patient_no if more else None))
            except Contended:
                continue
            if numbers:
                self.on_spooled()
            return Pulled(numbers, not more)
        raise Temporary("source_contended")

    def _is_known(self, patient_no: str | None, reading: Reading) -> bool:
        """Has the bulk lane read all of the patient today, and is nothing new among these rows?"""
        whole_on = self._spool.mark(f"{WHOLE}{patient_no}")
        return whole_on == str(self._source.parameters()["business_date"]) and not self._spool.changed(reading.rows)

    def _parcel(self, engine: Engine, reading: Reading, read_at: int, incomplete: str | None) -> Parcel:
        date = str(self._source.parameters()["business_date"])
        marks = {} if incomplete is None else {f"{INCOMPLETE}{incomplete}": date}
        behind_s = 0.0 if engine is self._source.engine else self._config.replica_lag_s
        return Parcel("record", date, reading.rows, read_at, marks=marks, behind_s=behind_s)
