"""`script/bench recovery [--kills N] [--json]`: how long work stands still when its worker is killed in mid-batch.

Two real workers and the scheduler under the supervisor; a worker that holds tasks is killed with SIGKILL, and the clock
runs until one of these very tasks is in another's hands or done. The rival, RQ tuned as far as it goes, is killed once
beside it: it waits a minute by design.
"""

from __future__ import annotations

import random
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg

from bench import recovery_rivals, stack
from bench.arrivals import Arrivals
from bench.ground import arguments, count, load, report, tell
from bench.stack import Stack

PEOPLE = 150
PATIENCE_S = 60.0
# Which tasks a program holds: a lease is an advisory lock of class 23120 on one of the program's connections.
_HELD = """
SELECT t.id FROM task t JOIN pg_locks l ON l.objid::bigint = t.lease AND l.locktype = 'advisory' AND l.classid = 23120
AND l.granted JOIN pg_stat_activity a ON a.pid = l.pid
WHERE t.status = 'due' AND t.kind LIKE 'registration.%%' AND a.application_name = %s
"""
_ALIVE = """
SELECT count(DISTINCT a.application_name) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.classid = 23120 AND l.granted AND a.application_name = ANY(%s)
"""
_LEASES = """
SELECT l.objid::bigint FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.classid = 23120 AND l.granted AND a.application_name = %s
"""
_WAITING = "SELECT count(*) FROM task WHERE id = ANY(%s) AND status = 'due' AND lease = ANY(%s)"


def held_by(db: psycopg.Connection[tuple[int]], name: str) -> list[int]:
    """Tasks of the registration line in this program's hands."""
    return [row[0] for row in db.execute(_HELD, [name])]


def wait_for_workers(running: Stack, db: psycopg.Connection[tuple[int]]) -> None:
    """Until every worker holds its lease: one that is still starting would take nobody's work over."""
    end = time.monotonic() + PATIENCE_S
    while db.execute(_ALIVE, [list(stack.WORKERS)]).fetchone() != (len(stack.WORKERS),):
        running.supervisor.check()
        if time.monotonic() > end:
            raise SystemExit("a worker does not come back")
        time.sleep(0.05)
    time.sleep(0.3)  # from its lease to its first look at the queue


def kill_in_batch(running: Stack, db: psycopg.Connection[tuple[int]], names: list[str]) -> float | None:
    """Kill the first of these workers that is seen holding tasks; seconds until one of them goes on. None if nobody
    was seen."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        for name in names:
            held = held_by(db, name)
            if len(held) > 1 and running.supervisor.pid(name):
                return _kill(running, db, name, held)
        time.sleep(0.002)
    return None


def _kill(running: Stack, db: psycopg.Connection[tuple[int]], name: str, held: list[int]) -> float | None:
    leases = [row[0] for row in db.execute(_LEASES, [name])]
    running.supervisor.kill(name)
    start = time.monotonic()
    before = _waiting(db, held, leases)
    took_s = None if before == 0 else _gone_on(db, held, leases, before, start)  # None: it had just finished its batch
    # A dead worker's lease must not be taken for that of the one that comes after it.
    while set(leases) & {row[0] for row in db.execute(_LEASES, [name])}:
        time.sleep(0.01)
    return took_s


def _gone_on(
    db: psycopg.Connection[tuple[int]], held: list[int], leases: list[int], before: int, start: float
) -> float:
    while _waiting(db, held, leases) >= before:
        if time.monotonic() > start + PATIENCE_S:
            raise SystemExit(f"nobody has gone on with a killed worker's tasks after {PATIENCE_S:g} s")
        time.sleep(0.01)  # each look takes time from whoever goes on
    return time.monotonic() - start


def _waiting(db: psycopg.Connection[tuple[int]], held: list[int], leases: list[int]) -> int:
    """How many of these tasks are still due under these leases."""
    row = db.execute(_WAITING, [held, leases]).fetchone()
    return row[0] if row else 0


def run(kills: int, seed: int) -> dict[str, object]:
    times: list[float] = []
    pick = random.Random(seed)
    with stack.started_anew(whole=False) as running, ThreadPoolExecutor(1) as beside:
        rival = beside.submit(recovery_rivals.recovery_s, running.runtime.settings.redis_url)
        arrivals = Arrivals(running.runtime, running.hospital_id)
        arrivals.open_slot()
        with psycopg.connect(running.database_url, autocommit=True) as db:
            while len(times) < kills:
                wait_for_workers(running, db)
                arrivals.book(arrivals.people(PEOPLE))
                took_s = kill_in_batch(running, db, pick.sample(stack.WORKERS, len(stack.WORKERS)))
                running.supervisor.check()
                if took_s is not None:
                    times.append(took_s)
                    report(f"kill {len(times)} of {kills}: {took_s:.3f} s")
        report("the rival's worker was killed too: waiting for its job to go on")
        rival_s = rival.result()
    ordered = sorted(times)
    return {
        "name": "recovery",
        "kills": kills,
        "p50_s": round(statistics.median(ordered), 3),
        "p99_s": round(ordered[max(0, -(-99 * len(ordered) // 100) - 1)], 3),
        "max_s": round(ordered[-1], 3),
        "rival_s": round(rival_s, 1),
        "load": load(),
    }


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--kills", type=count, default=40)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    tell(run(given.kills, given.seed), json_alone=given.json)


if __name__ == "__main__":
    main()
