"""`script/bench ingest [--rows N] [--rounds N] [--json]`: fee lines a second, from signed message to tables.

Ours is the whole way of a batch: signature, gzip, contract, declared count, sum and hash, the sealed copy of what came,
then for each line the hospital's key and version, its bill, its own contract, its check field, and at the end whether
every bill balances; audit and verdicts written. As in operation the web application takes in what two hospitals push
at the same time, each its batches in their order, while two workers, processes of their own, apply it; the time ends
when the last batch is judged. The floor is a bare
COPY of the same rows into a table with nothing but its key, a commit for each batch; the rival stores them as an ORM
does, one object a row. Arms take turns within a round; the figures are medians. `cpu_us_a_line` is what the processes
of ours used; the messages are made and signed beforehand. A round is of fifty batches: in one of ten, the first, for
which the workers wait, and the last, for which the web does not work any more, are a fifth of the time.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import psycopg
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.work import Runtime
from app.record.models import FeeLine
from bench import newcomers
from bench.ground import arguments, count, libpq, load, report, runtime_on, servers, tell
from bench.ingest_hospital import LINES_OF_A_BILL, Hospital, Message, web
from bench.ingest_worker import Worker, start

BATCH = 2000
HOSPITALS = 2
ARMS, CPU = ("ours", "floor", "rival"), ("web", "workers")
# Arms that leave a table behind start with it empty, so that no round pays for another's rows.
_FLOOR_TABLE = "CREATE TABLE bench_fee_line (LIKE fee_line, PRIMARY KEY (id))"


@dataclass(frozen=True)
class Options:
    """How many fee lines each arm stores in each round."""

    rows: int = 100_000
    rival_rows: int = 2_000
    rounds: int = 5


@dataclass
class Ground:
    runtime: Runtime
    hospitals: Sequence[Hospital]
    workers: Sequence[Worker]
    db: psycopg.Connection[tuple[int]]
    lines: int = 0
    workers_s: float = 0.0

    def ours(self, messages: Sequence[Sequence[Message]]) -> None:
        """The hospitals push at the same time, each one message after the other."""
        with ThreadPoolExecutor(len(self.hospitals)) as pool:
            list(pool.map(self._push, self.hospitals, messages))
        self.workers_s = sum([worker.finish() for worker in self.workers])

    def _push(self, hospital: Hospital, messages: Sequence[Message]) -> None:
        for message in messages:
            hospital.push(message)
            for worker in self.workers:
                worker.ring()

    def ready(self) -> list[list[Message]]:
        """Each hospital's messages with all lines, whose visits and bills are stored."""
        share = self.lines // len(self.hospitals)
        parents, messages = zip(*[hospital.prepare(share, BATCH) for hospital in self.hospitals], strict=True)
        self.ours(parents)
        return list(messages)

    def copied(self) -> list[bytes]:
        """What the last batches have left in the table, as COPY reads it, batch by batch."""
        pieces = []
        for first in range(0, self.lines, BATCH):
            part = b"COPY (SELECT * FROM fee_line ORDER BY id OFFSET %d LIMIT %d) TO STDOUT" % (first, BATCH)
            with self.db.cursor().copy(part) as copy:
                pieces.append(b"".join(bytes(piece) for piece in copy))
        return pieces

    def floor(self, pieces: list[bytes]) -> None:
        for piece in pieces:
            with self.db.cursor().copy(b"COPY bench_fee_line FROM STDIN") as copy:
                copy.write(piece)

    def rival(self, rows: list[FeeLine]) -> None:
        """One object a row, one commit a batch."""
        with Session(self.runtime.database.engine) as session:
            session.add_all(rows)
            session.commit()

    def some(self, count: int) -> list[FeeLine]:
        """Copies of stored lines, not stored themselves."""
        names = [column.key for column in FeeLine.__table__.columns]
        with self.runtime.read() as session:
            found = session.execute(select(*FeeLine.__table__.columns).order_by(FeeLine.id).limit(count)).all()
        return [FeeLine(**dict(zip(names, row, strict=True))) for row in found]

    def require_all(self, count: int) -> None:
        """Every line that was sent is stored, once, and every bill balances. SystemExit if not."""
        query = b"SELECT count(*), count(DISTINCT (hospital_id, key)) FROM fee_line"
        wrong = b"SELECT count(*) FROM bill WHERE refused_reason IS NOT NULL OR lines_fen <> total_fen"
        found, bad = self.db.execute(query).fetchone(), self.db.execute(wrong).fetchone()
        if found != (count, count) or bad != (0,):
            raise SystemExit(f"{found} of {count} lines stored, {bad} bills do not balance")

    def empty(self, *tables: str) -> None:
        for table in tables:
            self.db.execute(f"TRUNCATE {table} CASCADE".encode())
        self.db.execute(b"VACUUM ANALYZE")  # as autovacuum does within a minute
        self.db.execute(b"CHECKPOINT")


def measure(ground: Ground, options: Options) -> dict[str, list[float]]:
    """Fee lines a second of each arm in each round, and microseconds of processor time that a line of ours took."""
    found: dict[str, list[float]] = {name: [] for name in (*ARMS, *CPU)}
    for number in range(1, options.rounds + 1):
        ground.empty("fee_line", "bill", "visit", "batch", "task", "audit_entry", "bench_fee_line")
        messages = ground.ready()
        before = (time.process_time(), ground.workers_s)
        found["ours"].append(_rate(options.rows, lambda: ground.ours(messages)))  # noqa: B023 - called at once
        for name, used_s in zip(CPU, (time.process_time() - before[0], ground.workers_s - before[1]), strict=True):
            found[name].append(1e6 * used_s / options.rows)
        ground.require_all(options.rows)
        pieces = ground.copied()
        found["floor"].append(_rate(options.rows, lambda: ground.floor(pieces)))  # noqa: B023
        rows = ground.some(options.rival_rows)
        ground.empty("fee_line")
        found["rival"].append(_rate(len(rows), lambda: ground.rival(rows)))  # noqa: B023
        rates = ", ".join(f"{name} {found[name][-1]:,.0f}/s" for name in ARMS)
        report(f"round {number} of {options.rounds}: {rates}")
    return found


def _rate(count: int, arm: Callable[[], None]) -> float:
    start = time.perf_counter()
    arm()
    return count / (time.perf_counter() - start)


def run(options: Options) -> dict[str, object]:
    if options.rows % (HOSPITALS * LINES_OF_A_BILL):
        raise SystemExit(f"--rows is a multiple of {HOSPITALS * LINES_OF_A_BILL}, so that every bill is whole")
    with servers() as servers_:
        url = servers_.new_database()
        runtime = runtime_on(url, redis_url=servers_.redis_url, partner_limit="1000000 per minute")
        agents = [newcomers.found_another(runtime, f"H{number}") for number in range(HOSPITALS)]
        app = web(runtime)
        workers = [start(url, servers_.redis_url) for _ in range(HOSPITALS)]
        with psycopg.connect(libpq(url), autocommit=True) as db:
            db.execute(_FLOOR_TABLE)
            hospitals = [Hospital(app.test_client(), agent) for agent in agents]
            rates = measure(Ground(runtime, hospitals, workers, db, options.rows), options)
        for worker in workers:
            worker.close()
        runtime.database.dispose()
        servers_.drop(url)
    middle = {name: statistics.median(values) for name, values in rates.items()}
    return {
        "name": "ingest",
        "rows": options.rows,
        "rounds": options.rounds,
        "per_second": {name: round(middle[name]) for name in ARMS},
        "cpu_us_a_line": {name: round(middle[name], 1) for name in CPU},
        "ratio_to_floor": round(statistics.median(map(_ratio, rates["ours"], rates["floor"])), 3),
        "ratio_to_rival": round(middle["ours"] / middle["rival"], 2),
        "load": load(),
    }


def _ratio(ours: float, floor: float) -> float:
    return ours / floor


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rows", type=count, default=Options.rows)
    parser.add_argument("--rounds", type=count, default=Options.rounds)
    given = parser.parse_args()
    tell(run(Options(rows=given.rows, rounds=given.rounds)), json_alone=given.json)


if __name__ == "__main__":
    main()
