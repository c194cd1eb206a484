"""What an agent is made of, by role: its source, its handlers, and the lanes it asks the exchange for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from hospital_agent import clock
from hospital_agent.commands import Handler
from hospital_agent.config import Config
from hospital_agent.fsi import FsiClient
from hospital_agent.handlers.hospital import Hospital, Verify
from hospital_agent.handlers.identity import PatientList
from hospital_agent.handlers.ledger import Ledger
from hospital_agent.handlers.medical_insurance import MedicalInsurance
from hospital_agent.handlers.visit import VisitReader
from hospital_agent.his import HisClient
from hospital_agent.mapping import reader
from hospital_agent.mapping.model import SourceMapping
from hospital_agent.outbox import BatchSender
from hospital_agent.poller import PollLane
from hospital_agent.source.engine import SourceLink, make_engine
from hospital_agent.source.idle import IdleTime, make_idle_time
from hospital_agent.source.pull import PatientLane
from hospital_agent.store.commands import Inbox
from hospital_agent.store.db import Store
from hospital_agent.store.registry import Clearings, Memo, Ties
from hospital_agent.store.spool import Spool

OPEN_COMMANDS = 400


@dataclass(frozen=True)
class Parts:
    """What handlers are built on."""

    config: Config
    store: Store
    spool: Spool
    inbox: Inbox
    sender: BatchSender
    idle: IdleTime | None

    def wait_sent(self, numbers: Sequence[int]) -> None:
        """Until the exchange has everything that is in the spool now. Raises Temporary."""
        self.sender.wake.set()
        self.sender.wait_sent(numbers, self.config.pull.push_timeout_s)


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


def open_idle_time(config: Config, source: SourceLink) -> IdleTime:
    """Raises ConfigError where nobody could tell when the source is busy."""
    return make_idle_time(source, config.bulk, clock.now)


def make_handlers(parts: Parts) -> Mapping[str, Handler]:
    if parts.idle is None:
        return _medical_insurance(parts).handlers()
    clearings = Clearings(parts.store)
    ledger = Ledger(parts.idle, parts.spool, clearings, parts.wait_sent)
    if parts.config.role == "insurer":
        return ledger.handlers()
    return _hospital(parts, parts.idle.source, clearings) | ledger.handlers()


def lane_widths(config: Config) -> dict[str, int]:
    """How many commands of each lane are worked on at a time; "" stands for every other lane."""
    commands = config.commands
    if config.role == "medical_insurance":
        return {"": 1, "trial": commands.trial_concurrency, "settlement": commands.settlement_concurrency}
    return {"": commands.threads, "registration": commands.registration_concurrency}


def poll_lanes(config: Config) -> list[PollLane]:
    """A trial is fetched only when it can start at once, since its time runs; other commands may wait here. The line of
    registrations waits at the exchange."""
    commands = config.commands
    if config.role == "medical_insurance":
        return [
            PollLane("trial", ("trial",), commands.trial_concurrency),
            PollLane("settlement", ("settlement",), 2 * commands.settlement_concurrency),
        ]
    return [PollLane("", None, OPEN_COMMANDS, {"registration": 2 * commands.registration_concurrency})]


def _medical_insurance(parts: Parts) -> MedicalInsurance:
    interface = parts.config.medical_insurance
    memos = {space: Memo(parts.store, space) for space in MedicalInsurance.SPACES}
    return MedicalInsurance(FsiClient(interface), memos, parts.inbox, interface.send_margin_ms / 1000)


def _hospital(parts: Parts, source: SourceLink, clearings: Clearings) -> dict[str, Handler]:
    config = parts.config
    his = HisClient(config.his)
    replica = make_engine(config.pull.database_url, "pull") if config.pull.database_url else None
    lane = PatientLane(source, parts.spool, config.pull, replica)
    lane.on_spooled = parts.sender.wake.set
    verify = _verify(his, config, source.mapping, lane)
    hospital = Hospital(his, lane, Ties(parts.store), clearings, verify, parts.wait_sent)
    return hospital.handlers() | VisitReader(source.mapping, lane).handlers()


def _verify(his: HisClient, config: Config, mapping: SourceMapping, lane: PatientLane) -> Verify:
    """By the hospital's interface, or in its patient list where there is none."""
    if config.his.url:
        return lambda asked: his.post("/patients/verify", asked)
    return PatientList(mapping, lane).verify
