"""`python -m hospital_agent --config agent.toml [--once | --doctor | --dry-run | --ties | --revoke …]`."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from datetime import date
from pathlib import Path

from hospital_agent import config as configuration
from hospital_agent import doctor, dry_run, log, ties
from hospital_agent.agent import Agent
from hospital_agent.config import Config
from hospital_agent.errors import AgentError, ConfigError
from hospital_agent.handlers.ledger import Ledger
from hospital_agent.roles import business_date, open_idle_time, open_source
from hospital_agent.store.db import Store
from hospital_agent.store.registry import Clearings
from hospital_agent.store.spool import Spool

EXIT_OK, EXIT_FAILED, EXIT_CONFIG = 0, 1, 2


def main(arguments: list[str] | None = None) -> int:
    """0 all is well, 1 something is not, 2 the configuration cannot be used."""
    options = _parser().parse_args(arguments)
    try:
        config = configuration.load(options.config)
        log.configure(config.log_level)
        return _run(options, config)
    except ConfigError as error:
        print(f"hospital_agent: {error}", file=sys.stderr)
        return EXIT_CONFIG
    except AgentError as error:
        print(f"hospital_agent: {error}", file=sys.stderr)
        return EXIT_FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hospital_agent", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="agent.toml")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--once", action="store_true", help="run until nothing is left to do, then end")
    mode.add_argument("--doctor", action="store_true", help="look at everything and say what to mend")
    mode.add_argument("--dry-run", action="store_true", help="print what would be sent, send nothing")
    mode.add_argument("--ties", action="store_true", help="list which accounts are tied to which patients")
    names = ("PATIENT_NO", "ACCOUNT_REF")
    mode.add_argument("--revoke", nargs=2, metavar=names, help="end a tie; the platform follows at night")
    parser.add_argument("--timeout-s", type=float, default=300.0, help="how long --once may take")
    return parser


def _run(options: argparse.Namespace, config: Config) -> int:
    if options.doctor:
        return _doctor(config, options.config)
    if options.dry_run:
        return _dry_run(config)
    if options.ties:
        ties.show(config, sys.stdout)
        return EXIT_OK
    if options.revoke:
        return _revoke(config, *options.revoke)
    agent = Agent(config)
    if options.once:
        try:
            return EXIT_OK if agent.run_once(options.timeout_s) else EXIT_FAILED
        finally:
            agent.stop()
    return _serve(agent)


def _serve(agent: Agent) -> int:
    """Until SIGTERM or Ctrl-C."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    agent.start()
    ended.wait()
    agent.stop()
    return EXIT_OK


def _doctor(config: Config, path: Path) -> int:
    findings = list(doctor.examine(config, path))
    for finding in findings:
        said = "ok  " if not finding.advice else "warn" if finding.warning else "MEND"
        print(f"{said}  {finding.name}{': ' if finding.advice else ''}{finding.advice}")
    return EXIT_FAILED if any(f.advice and not f.warning for f in findings) else EXIT_OK


def _dry_run(config: Config) -> int:
    source = open_source(config)
    if source is None:
        raise ConfigError("this role reads no database")
    store = Store(config.store, exclusive=False)
    idle, spool = open_idle_time(config, source), Spool(store)
    sendable, bad = dry_run.show(idle, spool, config.bulk.statement_timeout_ms, sys.stdout)
    bad_in_ledger = _dry_run_ledger(Ledger(idle, spool, Clearings(store), lambda _: None), business_date(config))
    store.close()
    part = "" if idle.is_night() else f" of the first {dry_run.DAY_ROWS} of each kind; all of them by night"
    print(f"{sendable} rows would be sent, {bad} cannot be{part}", file=sys.stderr)
    return EXIT_OK if not bad + bad_in_ledger else EXIT_FAILED


def _dry_run_ledger(ledger: Ledger, day: date) -> int:
    booked, bad = dry_run.show_ledger(ledger, day, sys.stdout)
    print(f"{booked} ledger rows of {day} would be sent when they are asked for, {bad} cannot be", file=sys.stderr)
    return bad


def _revoke(config: Config, patient_no: str, account_ref: str) -> int:
    if ties.revoke(config, patient_no, account_ref):
        print("revoked")
        return EXIT_OK
    print("there is no such tie: --ties lists them", file=sys.stderr)
    return EXIT_FAILED


def entry() -> None:
    sys.exit(main())


if __name__ == "__main__":
    entry()
