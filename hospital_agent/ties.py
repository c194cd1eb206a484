"""`--ties` and `--revoke`: people of the hospital look at the ties on their own machine, and end one."""

from __future__ import annotations

from typing import TextIO

from hospital_agent.config import Config
from hospital_agent.errors import ConfigError
from hospital_agent.store.db import Store
from hospital_agent.store.registry import Ties


def show(config: Config, out: TextIO) -> None:
    """Live ties, then revoked ones, one a line: patient number, account, state. Raises ConfigError."""
    store = _open(config)
    ties = Ties(store)
    for tie in ties.list():
        print(tie["patient_no"], tie["account_ref"], "tied", sep="\t", file=out)
    for one in ties.tombstones():
        ended = f"ended by the platform {one.ended_at}" if one.ended_at else "the platform has not ended it yet"
        print(one.patient_no, one.account_ref, f"revoked {one.revoked_at}, {ended}", sep="\t", file=out)
    store.close()


def revoke(config: Config, patient_no: str, account_ref: str) -> bool:
    """False if there is no such tie. The agent may be running. Raises ConfigError."""
    store = _open(config)
    done = Ties(store).revoke(account_ref, patient_no)
    store.close()
    return done


def _open(config: Config) -> Store:
    if config.role != "hospital":
        raise ConfigError("only a hospital's agent keeps ties")
    if not config.store.exists():
        raise ConfigError(f"{config.store} is not there: no agent has run with this configuration")
    return Store(config.store, exclusive=False)
