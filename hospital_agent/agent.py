"""The running agent: its threads, and how it ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from hospital_agent import log, roles
from hospital_agent.commands import Desk
from hospital_agent.config import Config
from hospital_agent.errors import AgentError, Temporary
from hospital_agent.exchange import ExchangeClient
from hospital_agent.outbox import AnswerSender, BatchSender, MessageSender, VerdictReader
from hospital_agent.poller import Poller
from hospital_agent.source.bulk import BulkLane
from hospital_agent.source.idle import IdleTime, NotNow
from hospital_agent.store.commands import Inbox
from hospital_agent.store.db import Store
from hospital_agent.store.registry import Messages
from hospital_agent.store.spool import Spool

JOIN_S = 10.0
SOURCE_RETRY_MAX_S = 30.0
WAIT_S = 0.5


class Agent:
    """One agent of any role. `start` and `stop`, or `run_once` and `stop`."""

    def __init__(self, config: Config) -> None:
        self.config = config
        source = roles.open_source(config)
        idle = roles.open_idle_time(config, source) if source else None
        self.store = Store(config.store)
        self.spool, self.inbox = Spool(self.store), Inbox(self.store)
        self._intake_ends, self._ends = threading.Event(), threading.Event()
        self.client = ExchangeClient(config.link)
        self.sender = BatchSender(self.client, self.spool, self._ends)
        self.answers = AnswerSender(self.client, self.inbox, self._ends)
        self.messages = Messages(self.store)
        self.teller = MessageSender(self.client, self.messages, self._ends)
        self.verdicts = VerdictReader(self.client, self.spool)
        self.bulk = self._bulk(idle) if idle and config.bulk.enabled else None
        parts = roles.Parts(config, self.store, self.spool, self.inbox, self.sender, idle)
        self.desk = Desk(self.inbox, roles.make_handlers(parts), roles.lane_widths(config))
        self.desk.on_answer = self.answers.wake.set
        self._pollers = [
            Poller(self.client, self.desk, lane, config.commands.wait_ms, self._intake_ends)
            for lane in roles.poll_lanes(config)
        ]
        for poller in self._pollers:
            poller.bad_rows = self.spool.bad_count
        self._intake: list[threading.Thread] = []
        self._senders: list[threading.Thread] = []

    def start(self) -> None:
        """Start every thread and take up what an earlier life left."""
        self._start_senders()
        self.desk.resume()
        self._intake = [_spawn(poller.run, "poller") for poller in self._pollers]
        self._intake.append(_spawn(self._look_after, "bulk"))
        log.info("started", role=self.config.role, unsent=len(self.spool.unsent()))

    def stop(self) -> None:
        """Take nothing new, finish what is in work, deliver the answers once more, and close."""
        self._intake_ends.set()
        for thread in self._intake:
            thread.join(JOIN_S)
        self.sender.release()
        self.desk.close()
        self._ends.set()
        self.sender.wake.set()
        self.answers.wake.set()
        self.teller.wake.set()
        for thread in self._senders:
            thread.join(JOIN_S)
        try:
            self.answers.send_all(attempts=1)
        except AgentError as error:
            log.failure("answers_kept", error)
        self.client.close()
        self.store.close()
        log.info("stopped")

    def run_once(self, timeout_s: float) -> bool:
        """Work until nothing is left to do; False when that took longer than `timeout_s`."""
        self._start_senders()
        self.desk.resume()
        ends_s = time.monotonic() + timeout_s
        while time.monotonic() < ends_s:
            if not self._one_round() and self._nothing_left():
                self._read_verdicts()
                return True
            time.sleep(0.05)
        return False

    def _one_round(self) -> int:
        """Scan and poll once; answers how much there was to do."""
        try:
            return (self.bulk.scan() if self.bulk else 0) + sum(poller.once(0) for poller in self._pollers)
        except Temporary as error:
            log.info("waiting", reason=str(error))
            self._intake_ends.wait(WAIT_S)
            return 1

    def _nothing_left(self) -> bool:
        return self.desk.is_idle() and self.inbox.is_empty() and not (self.spool.unsent() or self.messages.unsent())

    def _start_senders(self) -> None:
        runs = {"batches": self.sender.run, "answers": self.answers.run, "messages": self.teller.run}
        self._senders = [_spawn(run, name) for name, run in runs.items()]

    def _look_after(self) -> None:
        """Scan at the interval; wait longer and longer while the source is busy."""
        wait_s = 0.0
        while not self._intake_ends.wait(wait_s):
            try:
                if self.bulk:
                    self.bulk.scan()
                wait_s = self.config.bulk.interval_s
            except NotNow as reason:
                log.info("bulk_waits", reason=str(reason))
                wait_s = min(max(2 * wait_s, 0.1), self.config.bulk.busy_wait_max_s)
            except Temporary as error:
                log.warning("source_fails", code=error.code)
                wait_s = min(max(2 * wait_s, 0.5), SOURCE_RETRY_MAX_S)
            except Exception as error:  # the thread must outlive a fault of ours
                log.failure("bulk_broken", error)
                wait_s = self.config.bulk.interval_s
            self._read_verdicts()

    def _read_verdicts(self) -> None:
        try:
            self.verdicts.read_all()
        except AgentError as error:
            log.failure("verdicts_wait", error)

    def _bulk(self, idle: IdleTime) -> BulkLane:
        lane = BulkLane(idle, self.spool, self.config.bulk, self._intake_ends)
        lane.on_spooled = self.sender.wake.set
        return lane


def _spawn(run: Callable[[], None], name: str) -> threading.Thread:
    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread
