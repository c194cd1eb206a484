"""The baseline that must lose: entries popped from a Redis list 200 at a time, then worked on.

`python -m chaos.naive REDIS_URL DATABASE_URL` is its worker; `lost` kills it in mid-batch and counts.
"""

from __future__ import annotations

import sys
import time

import psycopg
import redis

from bench.ground import ROOT
from bench.stack import Stack
from demo.supervisor import Program

BATCH, LIST, NAME = 200, "naive", "naive-worker"
WORK_S = 0.001
_TABLE = "CREATE TABLE IF NOT EXISTS naive_registration (no text PRIMARY KEY)"


def main() -> None:
    with redis.Redis.from_url(sys.argv[1]) as line, psycopg.connect(sys.argv[2], autocommit=True) as db:
        while True:
            for entry in line.lpop(LIST, BATCH) or ():
                time.sleep(WORK_S)
                db.execute("INSERT INTO naive_registration VALUES (%s) ON CONFLICT DO NOTHING", [entry.decode()])
            time.sleep(0.01)


def lost(running: Stack, kills: int) -> int:
    """Entries that are neither registered nor in the list after so many kills."""
    settings = running.runtime.settings
    url = running.database_url
    argv = (sys.executable, "-P", "-m", "chaos.naive", settings.redis_url, url)
    with redis.Redis.from_url(settings.redis_url) as line, psycopg.connect(url, autocommit=True) as db:
        db.execute(_TABLE)
        entries = kills * BATCH * 2
        line.rpush(LIST, *(f"rg{number:08d}" for number in range(entries)))
        program = Program(NAME, argv, {"PYTHONPATH": str(ROOT)}, ROOT, restart=True)
        running.supervisor.start(program)
        for _ in range(kills):
            before = _done(db)
            while _done(db) % BATCH in (0, BATCH - 1) or _done(db) == before:
                time.sleep(0.002)
            running.supervisor.kill(NAME)
        left = -1
        while left != (left := entries - _done(db) - int(line.llen(LIST))) or line.llen(LIST):
            time.sleep(0.5)
        running.supervisor.stop(NAME)
    return left


def _done(db: psycopg.Connection[tuple[int]]) -> int:
    row = db.execute("SELECT count(*) FROM naive_registration").fetchone()
    return row[0] if row else 0


if __name__ == "__main__":
    main()
