"""`script/bench reconciliation [--rows N] [--rounds N] [--json]`: three ledger files to totals and stored differences.

Ours does the whole job (check digits, bad rows, duplicates, sets and totals, differences stored in PostgreSQL) beside
DuckDB and Polars on the same files, the published method once, and reading the files with Polars as the floor. Arms
take turns within a round; the figures are medians.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from redis import Redis

from app.reconciliation.engine.compare import compare
from app.reconciliation.engine.ledger_file import read_ledger_files
from app.reconciliation.engine.summary import as_json
from bench import reconciliation_rivals as rivals
from bench.ground import arguments, count, libpq, load, servers, tell
from bench.reconciliation_data import DAY, make_files

_SOURCE_ROWS = 1_000_000  # beyond that the published method needs gigabytes and minutes


Arm = Callable[[], rivals.Answer | None]


def ours(paths: rivals.Paths, redis: Redis, connection: psycopg.Connection) -> rivals.Answer:
    ledgers, refused = read_ledger_files(paths)
    assert not refused
    outcome = compare(redis, DAY, ledgers)
    rivals.store(connection, rivals.as_csv(outcome.differences))
    result = as_json(outcome)
    return {name: result[name] for name in ("sets", "amount_differs", "status_differs", "totals")}


@contextmanager
def _opened() -> Iterator[tuple[Redis, psycopg.Connection]]:
    """A Redis, and a database with a table for the differences."""
    with (
        servers() as ground,
        Redis.from_url(ground.redis_url, socket_read_size=1 << 20) as redis,
        psycopg.connect(libpq(ground.server_url), autocommit=True) as connection,
    ):
        connection.execute(rivals.DIFFERENCES_TABLE)
        yield redis, connection
        connection.execute("DROP TABLE bench_difference")


def measure(arms: dict[str, Arm], rounds: int) -> dict[str, float]:
    """Median seconds of each arm. The arms that answer must all answer the same."""
    seconds: dict[str, list[float]] = {name: [] for name in arms}
    for _ in range(rounds):
        answers = {}
        for name, arm in arms.items():
            start = time.perf_counter()
            answers[name] = arm()
            seconds[name].append(time.perf_counter() - start)
        for name, answer in answers.items():
            if answer is not None and answer != answers["ours"]:
                raise SystemExit(f"{name} answers {answer}, ours {answers['ours']}")
    return {name: statistics.median(values) for name, values in seconds.items()}


def run(rows: int, rounds: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory(prefix="bench-") as directory, _opened() as (redis, connection):
        paths = make_files(Path(directory), rows)
        arms: dict[str, Arm] = {
            "floor": lambda: rivals.floor(paths),
            "ours": lambda: ours(paths, redis, connection),
            "polars": lambda: rivals.by_polars(paths, connection),
            "duckdb": lambda: rivals.by_duckdb(paths, connection),
        }
        seconds = measure(arms, rounds)
        if rows <= _SOURCE_ROWS:
            start = time.perf_counter()
            rivals.by_source(paths, redis)
            seconds["source"] = time.perf_counter() - start
    best_rival = min(seconds["polars"], seconds["duckdb"])
    return {
        "name": "reconciliation",
        "rows": rows,
        "rounds": rounds,
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "ratio_to_best_rival": round(seconds["ours"] / best_rival, 3),
        "ratio_to_floor": round(seconds["ours"] / seconds["floor"], 2),
        "speedup_over_source": round(seconds["source"] / seconds["ours"], 1) if "source" in seconds else None,
        "load": load(),
    }


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rows", type=count, default=1_000_000)
    parser.add_argument("--rounds", type=count, default=5)
    options = parser.parse_args()
    result = run(options.rows, options.rounds)
    tell(result, json_alone=options.json)


if __name__ == "__main__":
    main()
