"""What a run of a date would find and change now, without writing anything."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

import polars as pl
from sqlalchemy.orm import Session

from app.core.errors import NotFound, PartnerFault
from app.core.work import Runtime
from app.exchange import service as exchange
from app.gateways import Gateways
from app.reconciliation import books, comparison, insurer_books, integrity, queries, service
from app.reconciliation.comparison import Material
from app.reconciliation.engine.ledger import INSURER, Ledger
from app.reconciliation.engine.ledger_file import LedgerFileError
from app.reconciliation.engine.summary import as_json
from app.reconciliation.insurer_books import Source


def look(runtime: Runtime, gateways: Gateways, day: date, hospital: str | None) -> dict[str, Any]:
    """Figures, and what would be new, still there and healed. Insurers are asked for their books as they are now;
    hospitals' are those of the last run. NotFound where the date was never run."""
    with runtime.read() as session:
        scope = exchange.party_by_code(session, hospital).id if hospital else None
        run = queries.last_run(session, day, scope)
        if run is None:
            whole = hospital is not None and queries.last_run(session, day, None) is not None
            why = "这家医院这一天还没有单独对过账，请去掉医院再试" if whole else "这一天还没有进行过对账"
            raise NotFound("never_run", why)
        material = comparison.gather(session, run)
        sources = _sources(session, runtime, material)
        looked = integrity.look(session, runtime.privacy)
    compared = comparison.compare(runtime.settings.redis_url, _asked(gateways, material, sources))
    with runtime.read() as session:
        change = service.changes(session, run, compared, looked)
        return {
            "figures": as_json(compared.outcome) if compared.outcome is not None else None,
            "blocked": {role: list(codes) for role, codes in compared.attendance.blocked.items()},
            **change.as_json(),
        }


def _sources(session: Session, runtime: Runtime, material: Material) -> dict[str, Source | None]:
    codes = {code for code, _ in material.arrived[INSURER]} | material.blocked[INSURER]
    return {code: insurer_books.source(session, runtime.privacy, material.ids[code]) for code in sorted(codes)}


def _asked(gateways: Gateways, material: Material, sources: dict[str, Source | None]) -> Material:
    """The material with what the insurers say now; who does not answer is blocked."""
    arrived: list[tuple[str, Ledger]] = []
    for code, source in sources.items():
        if source is None:
            continue
        try:
            message_id = f"ledger-dry-{material.day:%Y%m%d}-{code}"
            book = insurer_books.ask(gateways, source, message_id, material.day, partial(_own_rows, material, code))
        except (PartnerFault, LedgerFileError):
            continue
        arrived.append((code, book.ledger))
    blocked = frozenset(sources) - {code for code, _ in arrived}
    return replace(
        material, arrived={**material.arrived, INSURER: arrived}, blocked={**material.blocked, INSURER: blocked}
    )


def _own_rows(material: Material, code: str) -> Ledger:
    return books.only(material.platform, pl.col(INSURER) == code)
