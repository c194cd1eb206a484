"""The running agent: its parts put together by role, its threads, and how it ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from hospital_agent import clock, log
from hospital_agent.commands import Desk, Handler
from hospital_agent.config import Config, InterfaceConfig
from hospital_agent.errors import AgentError, Temporary
from hospital_agent.exchange import ExchangeClient
from hospital_agent.fsi import FsiClient
from hospital_agent.handlers.hospital import Hospital
from hospital_agent.handlers.identity import PatientList
from hospital_agent.handlers.ledger import Ledger
from hospital_agent.handlers.medical_insurance import MedicalInsurance
from hospital_agent.his import HisClient
from hospital_agent.mapping import reader
from hospital_agent.outbox import AnswerSender, BatchSender, VerdictReader
from hospital_agent.poller import Poller, PollLane
from hospital_agent.source.bulk import BulkLane, NotNow, SourceLink
from hospital_agent.source.engine import make_engine
from hospital_agent.source.probe import make_probe
from hospital_agent.source.pull import PatientLane
from hospital_agent.store.commands import Inbox
from hospital_agent.store.db import Store
from hospital_agent.store.registry import Clearings, Memo, Ties
from hospital_agent.store.spool import Spool

OPEN_COMMANDS = 400


class Agent:
    """One agent of any role. `start` and `stop`, or `run_once`."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.store = Store(config.store)
        self.spool, self.inbox = Spool(self.store), Inbox(self.store)
        self._intake_ends, self._ends = threading.Event(), threading.Event()
        self.client = ExchangeClient(config.link)
        self.sender = BatchSender(self.client, self.spool, self._ends)
        self.answers = AnswerSender(self.client, self.inbox, self._ends)
        self.verdicts = VerdictReader(self.client, self.spool)
        self.source = open_source(config)
        self.bulk = self._bulk(self.source)
        self.desk = Desk(self.inbox, self._handlers(), self._widths())
        self.desk.on_answer = self.answers.wake.set
        wait_ms = config.commands.wait_ms
        self.pollers = [Poller(self.client, self.desk, x, wait_ms, self._intake_ends) for x in self._poll_lanes()]
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start every thread and take up what an earlier life left."""
        self._start_senders()
        self.desk.resume()
        for poller in self.pollers:
            self._spawn(poller.run, "poller")
        self._spawn(self._look_after, "bulk")
        log.info("started", role=self.config.role, unsent=len(self.spool.unsent()))

    def stop(self) -> None:
        """Take nothing new, finish what is in work, deliver the answers once more, and close."""
        self._intake_ends.set()
        for thread in self._threads:
            if thread.name in ("poller", "bulk"):
                thread.join(10)
        self.desk.close()
        self._ends.set()
        self.sender.wake.set()
        self.answers.wake.set()
        for thread in self._threads:
            thread.join(10)
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
            try:
                busy = self._scan() + sum(poller.once(0) for poller in self.pollers)
            except Temporary as error:
                log.warning("waiting", code=error.code)
                busy = 1
            if not busy and self._nothing_left():
                self._read_verdicts()
                return True
            time.sleep(0.05)
        return False

    def wait_sent(self, numbers: Any) -> None:
        self.sender.wait_sent(numbers, self.config.pull.push_timeout_s)

    def _nothing_left(self) -> bool:
        return self.desk.is_idle() and self.inbox.is_empty() and not self.spool.unsent()

    def _scan(self) -> int:
        return self.bulk.scan() if self.bulk and self.config.bulk.enabled else 0

    def _start_senders(self) -> None:
        self._spawn(self.sender.run, "batches")
        self._spawn(self.answers.run, "answers")

    def _spawn(self, run: Callable[[], None], name: str) -> None:
        thread = threading.Thread(target=run, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _look_after(self) -> None:
        """Scan at the interval; wait longer and longer while the source is busy."""
        wait_s = 0.0
        while not self._intake_ends.wait(wait_s):
            try:
                self._scan()
                wait_s = self.config.bulk.interval_s
            except NotNow as reason:
                log.info("bulk_waits", reason=str(reason))
                wait_s = min(max(2 * wait_s, 0.1), self.config.bulk.busy_wait_max_s)
            except Temporary as error:
                log.warning("bulk_waits", code=error.code)
                wait_s = min(max(2 * wait_s, 1.0), self.config.bulk.busy_wait_max_s)
            except Exception as error:  # the thread must outlive a fault of ours
                log.failure("bulk_broken", error)
                wait_s = self.config.bulk.interval_s
            self._read_verdicts()

    def _read_verdicts(self) -> None:
        try:
            self.verdicts.read_all()
        except AgentError as error:
            log.failure("verdicts_wait", error)

    def _bulk(self, source: SourceLink | None) -> BulkLane | None:
        if source is None:
            return None
        probe = make_probe(self.config.bulk, source.engine, source.mapping.conventions.zone, clock.now)
        lane = BulkLane(source, self.spool, self.config.bulk, probe, self._intake_ends)
        lane.on_spooled = self.sender.wake.set
        return lane

    def _handlers(self) -> Mapping[str, Handler]:
        if self.config.role == "medical_insurance":
            interface = self.config.medical_insurance
            memos = {space: Memo(self.store, space) for space in MedicalInsurance.SPACES}
            return MedicalInsurance(FsiClient(interface), memos, self.inbox, interface.send_margin_ms / 1000).handlers()
        assert self.source is not None
        clearings = Clearings(self.store)
        ledger = Ledger(self.source, self.spool, clearings, self._spooled_and_sent)
        if self.config.role == "insurer":
            return ledger.handlers()
        return self._hospital(self.source, clearings).handlers() | ledger.handlers()

    def _hospital(self, source: SourceLink, clearings: Clearings) -> Hospital:
        his = HisClient(self.config.his)
        lane = PatientLane(source, self.spool, self.config.pull)
        lane.on_spooled = self.sender.wake.set
        by_interface = self.config.his != InterfaceConfig()
        verify = (
            (lambda asked: his.post("/patients/verify", asked))
            if by_interface
            else PatientList(source, self.config.pull).verify
        )
        return Hospital(his, lane, Ties(self.store), clearings, verify, self._spooled_and_sent)

    def _spooled_and_sent(self, numbers: Any) -> None:
        self.sender.wake.set()
        self.wait_sent(numbers)

    def _widths(self) -> dict[str, int]:
        commands = self.config.commands
        if self.config.role == "medical_insurance":
            return {"": 1, "trial": commands.trial_concurrency, "settlement": commands.settlement_concurrency}
        return {"": commands.threads, "registration": commands.registration_concurrency}

    def _poll_lanes(self) -> list[PollLane]:
        commands = self.config.commands
        if self.config.role == "medical_insurance":
            return [
                PollLane("trial", ("trial",), commands.trial_concurrency),
                PollLane("settlement", ("settlement",), 2 * commands.settlement_concurrency),
            ]
        return [PollLane("", None, OPEN_COMMANDS)]


def open_source(config: Config) -> SourceLink | None:
    """The source of this agent, None for a role without one. Raises ConfigError; connects to nothing."""
    if config.source is None:
        return None
    given = config.source.parameters

    def parameters() -> Mapping[str, Any]:
        return {**given, "business_date": business_date(config)}

    mapping = reader.load(config.source.mapping)
    return SourceLink(make_engine(config.source.database_url), mapping, parameters)


def business_date(config: Config) -> date:
    return config.business_date or clock.today()
