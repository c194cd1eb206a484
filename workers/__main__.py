"""`python -m workers work` drains tasks when the bell rings; `python -m workers schedule` rings by the clock."""

from __future__ import annotations

import argparse
import gc
import signal
import threading
import time
from types import FrameType

import redis
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.timeouts import JobTimeoutException
from rq.worker import WorkerStatus

from app.core import tasks
from app.core.log import get_log
from app.registration import service as registration
from app.settlement import interfaces
from workers import schedule
from workers.bell import QUEUE
from workers.context import Context, context
from workers.kinds import KINDS

log = get_log(__name__)
REDIS_REST_S = 0.5
WORKER_TTL_S = 17  # RQ waits 15 s less than this for a job, then asks anew


class Worker(SimpleWorker):
    """An RQ worker that says when it was asked to stop, because RQ ends its loop for other reasons too, and keeps no
    books of its jobs: a bell may be lost, and what is under way stands in PostgreSQL. It waits for a lost reply no
    longer than for the next job."""

    stop: threading.Event

    @property
    def connection_timeout(self) -> int:
        return self.dequeue_timeout + 1

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        self.stop.set()
        super().request_stop(signum, frame)

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Forget the job, then do it. RQ's registries, executions and results would be 43 commands more for each."""
        with self.connection.pipeline(transaction=False) as pipeline:
            self.set_state(WorkerStatus.BUSY, pipeline)  # whoever asks it to stop now waits for the job's end
            self.heartbeat(self.get_heartbeat_ttl(job), pipeline)
            pipeline.lrem(queue.intermediate_queue_key, 1, job.id)
            pipeline.delete(job.key)
            pipeline.execute()
        try:
            with self.death_penalty_class(job.timeout or queue.DEFAULT_TIMEOUT, JobTimeoutException, job_id=job.id):
                job.perform()
        except Exception as error:  # the sweeper rings again
            log.error("job_failed", job=job.func_name, error=type(error).__name__, exc_info=error)


def work(stop: threading.Event) -> None:
    """An RQ worker in this process, started again whenever Redis has gone away or has forgotten what was under way."""
    here = context()
    warm_up(here)
    while not stop.is_set():
        # A worker blocks on its queue, so this connection waits longer than a caller's would.
        connection = redis.Redis.from_url(here.runtime.settings.redis_url, socket_connect_timeout=2)
        try:
            queue = Queue(QUEUE, connection=connection, serializer=JSONSerializer)
            worker = Worker([queue], connection=connection, serializer=JSONSerializer, worker_ttl=WORKER_TTL_S)
            worker.stop, worker.log_result_lifespan = stop, False
            worker.max_connection_wait_time = REDIS_REST_S  # RQ would wait up to a minute for Redis to come back
            worker.work(logging_level="WARNING")
            reason = "rq_gave_up"
        except (RedisError, StopRequested) as error:
            reason = type(error).__name__
        finally:
            connection.close()
            heed(stop)  # RQ has put its own handlers in place of ours
        if not stop.is_set():
            log.warning("begun_again", after=reason)
            time.sleep(REDIS_REST_S)


def warm_up(here: Context) -> None:
    """A worker shows its sign of life when it can begin at once: what it does is imported, its connection stands, and
    the statement that each turn begins with is made. What is imported is never garbage: nobody looks through it for
    some every time that a batch has made its rows."""
    gc.freeze()
    with here.runtime.work() as work:
        tasks.take(work.session, next(iter(KINDS)), 0, 0)
    here.lease.hold()


def heed(stop: threading.Event) -> None:
    """Let SIGTERM and SIGINT set `stop`."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())


def require_sound(here: Context) -> None:
    """Stop at the start, and say why, where a setting cannot work with what the partners have agreed."""
    try:
        with here.runtime.read() as session:
            registration.require_batch_above_quotas(session, here.runtime.settings.registration_batch)
            interfaces.require_shares(session)
    except ValueError as error:
        raise SystemExit(str(error)) from error


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m workers", description=__doc__)
    parser.add_argument("what", choices=("work", "schedule"))
    what = parser.parse_args().what
    stop = threading.Event()
    heed(stop)
    require_sound(context())
    if what == "work":
        work(stop)
    else:
        schedule.run(context(), stop)


if __name__ == "__main__":
    main()
