"""Commands about a settlement, and the bill that they speak of."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.core.errors import NotFound
from app.core.steady import database_now
from app.core.work import Work
from app.exchange import service as exchange
from app.record import queries as record
from app.record.queries import BillFacts
from app.settlement import rules
from app.settlement.models import Settlement

LANE = "settlement"


def send(work: Work, row: Settlement, to: UUID, kind: str, body: dict[str, Any]) -> None:
    """A command that may be handed out again until it is answered."""
    exchange.command(work, to, kind, {"settlement_no": row.no, **body}, lane=LANE, subject=row.id)


def ask(work: Work, row: Settlement, kind: str, body: dict[str, Any]) -> None:
    """`send` to the interface's agent."""
    send(work, row, row.interface_id, kind, {"hospital_code": _code(work, row), **body})


def ask_once(work: Work, row: Settlement, kind: str, body: dict[str, Any]) -> None:
    """What moves money at the interface: handed out once and sent once, before its time is over. Whoever does not know
    what became of it asks by our number."""
    content = {"settlement_no": row.no, "hospital_code": _code(work, row), **body}
    terms = rules.once(database_now(work.session) + rules.COMMAND_LIFE)
    exchange.command(work, row.interface_id, kind, content, lane=LANE, subject=row.id, **terms)


def bill_of(work: Work, row: Settlement) -> BillFacts:
    bill = record.bill(work.session, row.bill_id)
    if bill is None:
        raise NotFound
    return bill


def is_changed(work: Work, row: Settlement, bill: BillFacts) -> bool:
    """Whether the bill says something else than what was tried: its total, or any of its lines."""
    return bill.total_fen != row.total_fen or record.contents(work.session, [bill.id])[bill.id] != row.bill_content


def _code(work: Work, row: Settlement) -> str:
    return exchange.party(work.session, row.hospital_id).code
