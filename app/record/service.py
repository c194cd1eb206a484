"""Records as other features see them."""

from __future__ import annotations

from app.record.applying import any_waits, apply
from app.record.reading import read_documents, read_report, verify_checks
from app.record.rows import ROW_TYPES
from app.record.rules import REFUSALS, BillSums, line_is_right, refusal

__all__ = [
    "REFUSALS",
    "ROW_TYPES",
    "BillSums",
    "any_waits",
    "apply",
    "line_is_right",
    "read_documents",
    "read_report",
    "refusal",
    "verify_checks",
]
