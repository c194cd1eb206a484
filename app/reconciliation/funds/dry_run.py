"""What a run of funds would find and change now, without writing anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any
from uuid import uuid4

from app.core.errors import PartnerFault
from app.core.work import Runtime
from app.exchange import service as exchange
from app.gateways import Gateways
from app.reconciliation import collecting
from app.reconciliation.funds import own, running, sources
from app.reconciliation.funds.bills import Bill, BillError, read
from app.reconciliation.funds.comparison import Side, compare
from app.reconciliation.funds.sources import Source


def look(runtime: Runtime, gateways: Gateways, day: date) -> dict[str, Any]:
    """Figures by kind of movement, what would be new, still there and healed, and whose bills are not to be had, each
    with the reason. Every bill is asked for as it is now. Invalid as `collecting.require_day`."""
    collecting.require_day(runtime.clock, day)
    with runtime.read() as session:
        wanted = {side: sources.source(session, runtime.privacy, side, day) for side in running.sides(session)}
    bills, blocked = _ask(gateways, wanted)
    with runtime.read() as session:
        scene = own.gather(session, runtime.privacy, day, bills)
        found = compare(scene)
        return {
            "counts": {what: asdict(count) for what, count in found.counts.items()},
            "blocked": [
                {"bill": role, "party": exchange.party(session, party_id).code, "code": code}
                for (role, party_id), code in blocked.items()
            ],
            **running.changes(session, day, scene, found).as_json(),
        }


def _ask(gateways: Gateways, wanted: Mapping[Side, Source | str]) -> tuple[dict[Side, Bill], dict[Side, str]]:
    """The bills that are to be had, and why the others are not."""
    bills: dict[Side, Bill] = {}
    blocked: dict[Side, str] = {}
    for side, source in wanted.items():
        if isinstance(source, str):
            blocked[side] = source
            continue
        try:
            bills[side] = read(source.role, source.ask(gateways, f"bill-dry-{uuid4().hex}"))
        except PartnerFault as fault:
            blocked[side] = sources.why(fault)
        except BillError as error:
            blocked[side] = error.code
    return bills, blocked
