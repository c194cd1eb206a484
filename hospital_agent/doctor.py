"""`--doctor`: is everything there that the agent needs, and what is to be mended where it is not?"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from hospital_agent.config import Config
from hospital_agent.errors import AgentError, BadValue, Refused
from hospital_agent.exchange import ExchangeClient
from hospital_agent.fsi import FsiClient
from hospital_agent.his import HisClient
from hospital_agent.roles import open_idle_time, open_source
from hospital_agent.sections import PullConfig
from hospital_agent.source import checkup
from hospital_agent.source.checkup import Finding
from hospital_agent.source.engine import SourceLink, make_engine, snapshot
from hospital_agent.store.db import Store
from hospital_agent.store.spool import Spool

MAX_SKEW_S = 60
NOT_LOOKED_AT = "not looked at"


def examine(config: Config, config_path: Path) -> Iterator[Finding]:
    """Look at files, source, interfaces, exchange and store, in this order."""
    yield _files(config, config_path)
    source = _tried(lambda: open_source(config))
    if isinstance(source, str):
        yield Finding("mapping", source)
        yield Finding("source", f"{NOT_LOOKED_AT}: the mapping cannot be read", warning=True)
    elif source is not None:
        yield Finding("mapping")
        yield from _source(config, source)
    yield from _interfaces(config)
    yield from _exchange(config)
    yield from _store(config, "" if not isinstance(source, str) else f"{NOT_LOOKED_AT}: none can be read")


def _files(config: Config, path: Path) -> Finding:
    if path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        return Finding("config file", f"{path} can be read by other users of this machine: chmod 600")
    return Finding("config file")


def _source(config: Config, source: SourceLink) -> Iterator[Finding]:
    idle = _tried(lambda: open_idle_time(config, source))
    if isinstance(idle, str):
        yield Finding("idle time", idle)
        yield Finding("source", f"{NOT_LOOKED_AT}: nothing tells when it is busy", warning=True)
        return
    yield from checkup.examine(idle, config.bulk)
    if config.pull.database_url:
        yield Finding("replica", _said(lambda: _answers(config.pull)))


def _answers(config: PullConfig) -> None:
    with snapshot(make_engine(config.database_url, "pull"), config.statement_timeout_ms) as connection:
        connection.execute(sa.select(1))


def _interfaces(config: Config) -> Iterator[Finding]:
    if config.role == "hospital":
        advice = "[his] url is missing: nobody can be registered" if not config.his.url else ""
        yield Finding("hospital interface", advice or _said(HisClient(config.his).health))
    if config.role == "medical_insurance":
        yield Finding("medical-insurance interface", _said(FsiClient(config.medical_insurance).health))


def _exchange(config: Config) -> Iterator[Finding]:
    try:
        client = ExchangeClient(config.link)
        skew_s = client.clock_skew_s()
    except (AgentError, ValueError) as error:
        yield Finding("exchange", f"{config.link.url}: {_reason(error)}; check exchange_url, secret and the firewall")
        return
    late = f"this clock is {abs(skew_s):.0f} s {'behind' if skew_s > 0 else 'ahead'}: set it by NTP"
    yield Finding("clock", late if abs(skew_s) > MAX_SKEW_S else "")
    answer = _tried(lambda: client.verdicts(0))
    trusted = not (isinstance(answer, str) and "not_trusted" in answer)
    yield Finding("exchange", "" if trusted else "the exchange does not accept partner and secret: check both")


def _store(config: Config, unread: str) -> Iterator[Finding]:
    """`unread`: why none of the rows of before tells of those of today, where that is so."""
    store = Store(config.store, exclusive=False)
    spool = Spool(store)
    refused = spool.refused_batches()
    yield Finding("batches", f"refused by the exchange: {refused[:10]}" if refused else "")
    bad = spool.bad_rows()
    told = f"{len(bad)} cannot be sent, such as {bad[:5]}" if bad else unread
    yield Finding("rows", told, warning=not bad)
    unclear = spool.lines.changed_bills()
    told = f"the lines of {len(unclear)} changed bills wait to be looked at or do not add up, such as {unclear[:5]}"
    yield Finding("bills", told if unclear else "", warning=True)
    store.close()


def _tried(work: Callable[[], Any]) -> Any:
    """What `work` answers, or what went wrong as text."""
    try:
        return work()
    except Refused as refused:
        return f"refused: {refused.code}"
    except (AgentError, BadValue) as error:
        return _reason(error)


def _said(work: Callable[[], None]) -> str:
    return str(_tried(work) or "")


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__
