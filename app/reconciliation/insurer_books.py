"""Asking an insurer for its own book of a business date: its totals first where it offers them, then its rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.errors import NotFound, PartnerFault
from app.core.privacy import Privacy
from app.exchange import service as exchange
from app.exchange.service import Endpoint
from app.gateways import Gateways
from app.reconciliation import asking, books, totals
from app.reconciliation.engine.ledger import INSURER, Ledger
from app.reconciliation.engine.ledger_file import ENCODINGS


@dataclass(frozen=True)
class Source:
    """Where the book is, the encoding that the insurer declared (`ledger_encoding` of its party), and whether it
    offers totals (`ledger_totals`)."""

    endpoint: Endpoint
    encoding: str
    offers_totals: bool


@dataclass(frozen=True)
class Book:
    """`source` is file or totals, `sha256` the hash that the book was held against."""

    ledger: Ledger
    source: str
    sha256: str


def source(session: Session, privacy: Privacy, party_id: UUID) -> Source | None:
    """None for an insurer without an address."""
    config = exchange.party(session, party_id).config
    try:
        endpoint = exchange.endpoint(session, privacy, party_id)
    except NotFound:
        return None
    return Source(endpoint, str(config.get("ledger_encoding", ENCODINGS[0])), asking.offers_totals(config))


def ask(gateways: Gateways, at: Source, message_id: str, day: date, own_rows: Callable[[], Ledger]) -> Book:
    """The insurer's book. `own_rows` gives what we have of it; where the insurer's totals are those of our rows, its
    rows are not fetched. PartnerFault where there is no book, LedgerFileError where it cannot be used."""
    known = _by_totals(gateways, at, message_id, day, own_rows) if at.offers_totals else None
    if known is not None:
        return known
    content = gateways.insurer.ledger(at.endpoint, message_id, day)
    return Book(books.from_csv(content, at.encoding), "file", sha256(content).hexdigest())


def _by_totals(
    gateways: Gateways, at: Source, message_id: str, day: date, own_rows: Callable[[], Ledger]
) -> Book | None:
    """None wherever totals do not settle it, whatever is wrong with them: then the rows decide."""
    try:
        said = gateways.insurer.ledger_totals(at.endpoint, f"{message_id}-totals", day)
    except PartnerFault:
        return None
    settled = totals.settle(INSURER, said, own_rows)
    return None if settled is None else Book(settled[1], totals.SOURCE, settled[0].sha256)
