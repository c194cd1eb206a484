"""The fourth side: what WeChat Pay and the bank say they have moved, against the platform's books. Nobody has altered
theirs, so that all of it must agree as soon as nothing is on its way any more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from demo.day.context import Day
from demo.day.http import DayBroken, Login, until

PATIENCE_S = 60.0
PAUSE_S = 0.3
RUNS = "/api/v1/operator/reconciliation/runs"
ENDED = ("balanced", "differences", "blocked")
Run = Mapping[str, Any]


def reconcile(day: Day) -> None:
    finance = day.operator("finance")
    last: list[Run] = []

    def is_balanced() -> bool:
        last[:] = [_run(finance, day.date)]
        return bool(last[0]["status"] == "balanced")

    try:
        until("funds", is_balanced, timeout_s=PATIENCE_S, pause_s=PAUSE_S)
    except DayBroken as broken:
        raise DayBroken(f"{broken}: {wrong(last[0])}" if last else str(broken)) from broken
    lacking = [what for what in ("payment", "payout") if not last[0]["counts"][what]["agreed"]]
    if lacking:
        raise DayBroken(f"the bills of the day have no {', '.join(lacking)}")


def _run(finance: Login, date: str) -> Run:
    started = finance.post(RUNS, {"kind": "funds", "business_date": date, "wait_s": int(PATIENCE_S)})

    def ended() -> Run | None:
        found: Run = finance.get(f"{RUNS}/{started['id']}")
        return found if found["status"] in ENDED else None

    return until("funds run", ended, timeout_s=PATIENCE_S, pause_s=PAUSE_S)


def wrong(run: Run) -> str:
    """What a run found that must not be."""
    blocked = [f"{party['code']} {party['blocked_code']}" for party in run["parties"] if party["blocked_code"]]
    found = [f"{row['cause']} {row['key']}" for row in run["differences"]]
    return "; ".join([run["status"], *blocked, *found])
