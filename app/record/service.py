"""Records as other features see them."""

from __future__ import annotations

from app.record.applying import apply
from app.record.reading import read_documents, read_report, verify_checks
from app.record.rows import ROW_TYPES
from app.record.rules import REFUSALS, BillSums, line_is_right, refusal
from app.record.section import Applied

__all__ = [
    "REFUSALS",
    "ROW_TYPES",
    "Applied",
    "BillSums",
    "apply",
    "line_is_right",
    "read_documents",
    "read_report",
    "refusal",
    "verify_checks",
]
