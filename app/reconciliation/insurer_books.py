"""Asking an insurer for its own book of a business date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.core.privacy import Privacy
from app.exchange import service as exchange
from app.exchange.service import Endpoint
from app.gateways import Gateways
from app.reconciliation import books
from app.reconciliation.engine.ledger import Ledger
from app.reconciliation.engine.ledger_file import ENCODINGS


@dataclass(frozen=True)
class Source:
    """Where the book is, and the encoding that the insurer declared (`ledger_encoding` of its party)."""

    endpoint: Endpoint
    encoding: str


def source(session: Session, privacy: Privacy, party_id: UUID) -> Source | None:
    """None for an insurer without an address."""
    config = exchange.party(session, party_id).config
    try:
        return Source(exchange.endpoint(session, privacy, party_id), str(config.get("ledger_encoding", ENCODINGS[0])))
    except NotFound:
        return None


def ask(gateways: Gateways, at: Source, message_id: str, day: date) -> tuple[bytes, Ledger]:
    """The file and the book in it. PartnerFault where there is none, LedgerFileError where it cannot be used."""
    content = gateways.insurer.ledger(at.endpoint, message_id, day)
    return content, books.from_csv(content, at.encoding)
