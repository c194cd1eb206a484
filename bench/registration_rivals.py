"""What a registration costs elsewhere: one RQ fork job for each patient, and the bare INSERT of a batch."""

from __future__ import annotations

import os
import time
import uuid

import psycopg
import redis
from rq import Queue, Worker
from rq.serializers import JSONSerializer
from rq.worker import WorkerStatus

from bench.ground import libpq

_TABLE = "CREATE TABLE IF NOT EXISTS bench_registration (LIKE registration INCLUDING DEFAULTS, PRIMARY KEY (id))"
# A registration's own columns and its key, without any other index: what has to be stored at the very least.
_INSERT = """
INSERT INTO bench_registration (id, hospital_id, line_no, no, person_id, account_id, appointment_id, appointment_no,
                                tries, failures, status, status_since)
SELECT gen_random_uuid(), %(hospital)s, ordinality, no, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), no,
       0, 0, 'registered', clock_timestamp()
FROM unnest(%(numbers)s::text[]) WITH ORDINALITY AS n(no, ordinality)
"""
_BATCH = 200
_URL = "BENCH_RIVAL_URL"


def prepare(database_url: str) -> None:
    url = os.environ[_URL] = libpq(database_url)
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(_TABLE)


def floor(database_url: str, count: int) -> int:
    """Bare rows a second, 200 a commit, from arrays."""
    with psycopg.connect(libpq(database_url)) as db:
        db.execute("TRUNCATE bench_registration")
        db.commit()
        hospital, start = uuid.uuid4(), time.perf_counter()
        for first in range(0, count, _BATCH):
            numbers = [f"rg{number:024d}" for number in range(first, first + _BATCH)]
            db.execute(_INSERT, {"hospital": hospital, "numbers": numbers})
            db.commit()
    return round(count / (time.perf_counter() - start))


def register_one(number: str) -> None:
    """The rival's job: one row, one commit, on a connection that a fork cannot inherit."""
    with psycopg.connect(os.environ[_URL]) as db:
        db.execute(_INSERT, {"hospital": uuid.uuid4(), "numbers": [number]})


def rival(redis_url: str, count: int) -> float:
    """Jobs a second of RQ's own worker, which forks for each; it is told to stop when the queue is empty."""
    with redis.Redis.from_url(redis_url) as connection:
        queue = Queue("rival", connection=connection, serializer=JSONSerializer)
        for number in range(count):
            queue.enqueue("bench.registration_rivals.register_one", f"rg{number:024d}", result_ttl=0)
        worker = Worker([queue], connection=connection, serializer=JSONSerializer)
        start = time.perf_counter()
        worker.work(burst=True, logging_level="WARNING")
        took_s = time.perf_counter() - start
        assert worker.get_state() != WorkerStatus.BUSY
        failed = queue.failed_job_registry.get_job_count()
    if failed:
        raise SystemExit(f"{failed} of the rival's jobs failed")
    return count / took_s
