"""Who gets a night's report, and handing it to the notices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.letters import Letter
from app.core.settings import Settings
from app.core.work import Work
from app.exchange import service as exchange
from app.notification import service as notification
from app.reconciliation import queries, rules
from app.reconciliation.models import Report, Run
from app.reconciliation.report import funds_writing
from app.reconciliation.report.figures import Figures, figures
from app.reconciliation.report.writing import letter, line


@dataclass(frozen=True)
class Reader:
    """`party_id` None is the platform's finance."""

    party_id: UUID | None
    mails: Sequence[str] = field(repr=False)
    phones: Sequence[str] = field(repr=False)


@dataclass(frozen=True)
class Written:
    reader: Reader
    digest: str
    letter: Letter = field(repr=False)
    line: dict[str, str]


def write_all(session: Session, settings: Settings, run: Run) -> list[Written]:
    """A report for everybody who wants one and has not had these figures of the date yet."""
    written = []
    for reader in _readers(session, settings, run):
        found = figures(session, run, reader.party_id, rows=rules.MOST_MAILED)
        if not queries.reported(session, run.business_date, reader.party_id, found.digest):
            written.append(_write(run, reader, found))
    return written


def _write(run: Run, reader: Reader, found: Figures) -> Written:
    if run.kind == rules.FUNDS:
        funds = funds_writing.letter(found, run.counts or {}, reader.mails)
        return Written(reader, found.digest, funds, funds_writing.line(found))
    return Written(reader, found.digest, letter(found, reader.mails), line(found))


def send_all(work: Work, run: Run, written: Sequence[Written]) -> None:
    """Write the notices, which are delivered from there. The same report again is one report."""
    for one in written:
        party_id = one.reader.party_id
        if queries.reported(work.session, run.business_date, party_id, one.digest):
            continue
        dedupe = f"reconciliation:{run.business_date}:{party_id or 'finance'}:{one.digest}"
        if one.reader.mails:
            notification.mail(work, one.letter, dedupe)
        for place, phone in enumerate(one.reader.phones):
            notification.text(work, phone, rules.REPORT_SMS, one.line, f"{dedupe}:{place}")
        work.add(Report(
            run_id=run.id,
            business_date=run.business_date,
            party_id=party_id,
            digest=one.digest,
            mails=len(one.reader.mails),
            texts=len(one.reader.phones),
        ))  # fmt: skip


def _readers(session: Session, settings: Settings, run: Run) -> Iterator[Reader]:
    finance = Reader(None, _listed(settings.finance_mails), _listed(settings.finance_phones))
    if finance.mails or finance.phones:
        yield finance
    involved = {ledger.party_id: None for ledger in queries.ledgers(session, run.id) if ledger.party_id is not None}
    # One hospital by hand is its own business: an insurer is told of whole nights.
    for party_id in [run.hospital_id] if run.hospital_id else involved:
        config = exchange.party(session, party_id).config
        mails, phones = list(config.get("mails") or ()), list(config.get("phones") or ())
        if mails or phones:
            yield Reader(party_id, mails, phones)


def _listed(text: str) -> list[str]:
    return [item for item in (part.strip() for part in text.split(",")) if item]
