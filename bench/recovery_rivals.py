"""How long work stands still elsewhere: RQ's own workers, tuned as far as they go, one of them killed in mid-job.

`python -m bench.recovery_rivals REDIS_URL` is such a worker. It looks after jobs every second, which is as often as RQ
can; but a job counts as abandoned only 60 s after its worker's last sign of life (rq/worker, `get_heartbeat_ttl`).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import redis
from rq import Queue, Retry, Worker
from rq.serializers import JSONSerializer

from bench.ground import ROOT

QUEUE, STARTS = "recovery-rival", "recovery-rival:starts"
LOOK_S = 1
TTL_S = 15 + LOOK_S  # RQ waits for the next job until 15 s before its time to live has passed, and looks after that
PATIENCE_S = 120.0


def main() -> None:
    with redis.Redis.from_url(sys.argv[1]) as connection:
        queue = Queue(QUEUE, connection=connection, serializer=JSONSerializer)
        worker = Worker(
            [queue],
            connection=connection,
            serializer=JSONSerializer,
            job_monitoring_interval=LOOK_S,
            maintenance_interval=LOOK_S,
            worker_ttl=TTL_S,
        )
        worker.work(logging_level="ERROR")


def hold(redis_url: str) -> None:
    """The job: says which worker's child has it, and takes its time."""
    with redis.Redis.from_url(redis_url) as connection:
        connection.rpush(STARTS, f"{os.getppid()} {os.getpid()}")
    time.sleep(5)


def recovery_s(redis_url: str) -> float:
    """Seconds from the kill of the worker and its child until another worker starts the same job."""
    argv = (sys.executable, "-m", "bench.recovery_rivals", redis_url)
    workers = [subprocess.Popen(argv, cwd=ROOT) for _ in range(2)]
    try:
        with redis.Redis.from_url(redis_url) as connection:
            queue = Queue(QUEUE, connection=connection, serializer=JSONSerializer)
            queue.enqueue("bench.recovery_rivals.hold", redis_url, retry=Retry(max=3), result_ttl=0)
            _wait_for_starts(connection, 1)
            for pid in connection.lindex(STARTS, 0).split():  # the child is in a group of its own and would go on
                os.kill(int(pid), signal.SIGKILL)
            killed = time.monotonic()
            _wait_for_starts(connection, 2)
            return time.monotonic() - killed
    finally:
        for one in workers:
            one.kill()
            one.wait()


def _wait_for_starts(connection: redis.Redis, count: int) -> None:
    end = time.monotonic() + PATIENCE_S
    while int(connection.llen(STARTS)) < count:
        if time.monotonic() > end:
            raise SystemExit(f"the rival's job was not started {count} times in {PATIENCE_S:g} s")
        time.sleep(0.02)


if __name__ == "__main__":
    main()
