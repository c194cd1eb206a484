"""Records as other features see them."""

from __future__ import annotations

from app.record.applying import Applied, apply
from app.record.reading import read_documents, read_report, verify_checks

__all__ = ["Applied", "apply", "read_documents", "read_report", "verify_checks"]
