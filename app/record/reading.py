"""Reading what is sealed, and proving that what carries money was not changed behind the program's back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.core.errors import NotFound
from app.core.work import Work
from app.record import models as m


def read_report(work: Work, report_id: UUID, why: str) -> tuple[m.Report, str]:
    """A report with its decrypted summary; the reading is audited."""
    report = work.session.get(m.Report, report_id)
    if report is None:
        raise NotFound
    return report, work.reveal(report, "summary_sealed", why)


def read_documents(work: Work, visit_ids: Iterable[UUID], why: str) -> list[tuple[m.Document, str]]:
    """The documents of these visits with their decrypted text; each reading is audited."""
    found = work.session.scalars(
        select(m.Document).where(m.Document.visit_id.in_(list(visit_ids))).order_by(m.Document.visit_id, m.Document.key)
    )
    return [(document, work.reveal(document, "text_sealed", why)) for document in found]


def verify_checks(work: Work, bill_ids: Iterable[UUID]) -> None:
    """Tampered, naming the row, if a bill, a fee line or an e-bill was changed behind the program's back."""
    wanted = list(bill_ids)
    rows: list[Any] = list(work.session.scalars(select(m.Bill).where(m.Bill.id.in_(wanted))))
    rows += work.session.scalars(select(m.FeeLine).where(m.FeeLine.bill_id.in_(wanted)))
    rows += work.session.scalars(select(m.EBill).where(m.EBill.bill_id.in_(wanted)))
    for row in rows:
        row.require_check(work.privacy)
