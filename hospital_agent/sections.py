"""The sections of the agent's configuration, with their defaults. Units stand in the names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class SourceConfig:
    """The source database and its mapping file. `parameters` are the mapping's named binds, such as hospital."""

    database_url: str
    mapping: Path
    parameters: Mapping[str, Any] = field(default_factory=dict)


Spans = tuple[tuple[time, time], ...]
"""Spans of the local day, from and to; one may pass midnight."""


@dataclass(frozen=True)
class BulkConfig:
    """The bulk lane: when it may read, and how much. `hours` are local spans; none means at any hour.

    Whole tables, for the first load and for comparing by hash, are read in the hours of `night` only. The source is
    busy with more than `max_active` sessions of others, with a `load_query` over `max_load`, or when the site's own
    `probe` says so: "module:name" takes the SQLAlchemy engine and makes what has `is_idle()`. All are asked every
    `probe_every_s` while a reading runs.
    """

    enabled: bool = True
    interval_s: float = 60.0
    busy_wait_max_s: float = 600.0
    max_active: int = 4
    busy_query: str = ""
    load_query: str = ""
    max_load: float | None = None
    probe: str = ""
    probe_every_s: float = 1.0
    hours: Spans = ()
    night: Spans = ((time(22), time(6)),)
    statement_timeout_ms: int = 10_000
    window_rows: int = 20_000
    spool_batches: int = 4


@dataclass(frozen=True)
class PullConfig:
    """The lane of a waiting patient: what one pull may cost the source, in rows over all entities.

    `database_url` is a replica or warehouse to read from instead; what was sent in the last `replica_lag_s` is not
    overwritten by what it says. The platform waits ten seconds for a pull, and asks again later when its rows did not
    leave within `push_timeout_s`.
    """

    database_url: str = ""
    replica_lag_s: float = 300.0
    statement_timeout_ms: int = 1_000
    max_rows: int = 200
    per_second: float = 20.0
    push_timeout_s: float = 8.0


@dataclass(frozen=True)
class CommandConfig:
    """How many commands are worked on at once. Registrations are sent in the order of arrival, each when the one before
    has left; `registration_concurrency` is how many the hospital may be thinking about at the same time."""

    threads: int = 8
    registration_concurrency: int = 8
    trial_concurrency: int = 4
    settlement_concurrency: int = 4
    wait_ms: int = 2_000


@dataclass(frozen=True)
class InterfaceConfig:
    """A partner's HTTP interface beside the agent, such as the hospital's own registration interface."""

    url: str = ""
    timeout_s: float = 10.0


@dataclass(frozen=True)
class NetworkConfig(InterfaceConfig):
    """The medical-insurance interface. `fixmedins_codes` gives its own code of a hospital by ours (ours by default).

    A trial is not sent in the last `send_margin_ms` before its deadline.
    """

    fixmedins_codes: Mapping[str, str] = field(default_factory=dict)
    operator: str = "zhipei"
    send_margin_ms: int = 300
