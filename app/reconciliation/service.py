"""Reconciliation as routes, commands and workers see it: what happens inside one transaction."""

from __future__ import annotations

from datetime import date, timedelta

from app.claim.queries import clearing
from app.core.work import Work
from app.reconciliation import queries, rules
from app.reconciliation.arriving import answered, arrived, block, deadline, take_batch
from app.reconciliation.collecting import Wanted, ask_again, start
from app.reconciliation.funds.running import WantedFunds
from app.reconciliation.funds.running import start as start_funds
from app.reconciliation.handling import assign, decline, resolve
from app.reconciliation.results import changes, store
from app.reconciliation.sharing import forget_parts, part_compared, share_out

__all__ = [
    "Wanted",
    "WantedFunds",
    "answered",
    "arrived",
    "ask_again",
    "assign",
    "block",
    "changes",
    "deadline",
    "decline",
    "forget_parts",
    "funds_night",
    "night",
    "part_compared",
    "resolve",
    "share_out",
    "start",
    "start_funds",
    "store",
    "take_batch",
]


def night(work: Work, fired_on: date) -> None:
    """The runs of the day before and of the nights that were missed, and again those of the days before in whose books
    something came late or still waits."""
    yesterday = fired_on - timedelta(1)
    for day in sorted({*_missed(work, rules.PARTIES, yesterday), *_unfinished(work, yesterday)}):
        start(work, Wanted(day, started_by="schedule"))


def funds_night(work: Work, fired_on: date) -> None:
    """The runs of funds of the day before and of the days that were missed, and again those in which a row may still
    stand on a neighbouring bill."""
    yesterday = fired_on - timedelta(1)
    days = [yesterday - timedelta(back) for back in range(1, rules.DAY_CUT_DAYS + 1)]
    again = queries.days_suspended(work.session, days, rules.FUNDS_KINDS)
    for day in sorted({*_missed(work, rules.FUNDS, yesterday), *again}):
        start_funds(work, WantedFunds(day, started_by="schedule"))


def _missed(work: Work, kind: str, yesterday: date) -> list[date]:
    """Yesterday, and every day since the last one that was run: nobody else makes up for a night without workers."""
    last = queries.last_day_run(work.session, kind, yesterday)
    first = yesterday if last is None else max(last + timedelta(1), yesterday - timedelta(rules.MOST_MISSED_DAYS))
    return [first + timedelta(after) for after in range((yesterday - first).days + 1)]


def _unfinished(work: Work, yesterday: date) -> list[date]:
    days = [yesterday - timedelta(back) for back in range(1, rules.DAY_CUT_DAYS + 1)]
    wanted = set(queries.days_suspended(work.session, days, rules.PARTIES_KINDS))
    for day in days:
        last = queries.last_run(work.session, day)
        if last is not None and clearing.days_booked_since(work.session, [day], last.started_at):
            wanted.add(day)
    return sorted(wanted)
