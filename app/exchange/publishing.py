"""Putting a change into a party's feed. Whoever polls is woken, and whoever wants pushes gets one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.core.work import Work
from app.exchange import pushing, wake
from app.exchange.models import Change


def publish(work: Work, party_id: UUID, type: str, data: dict[str, Any]) -> None:
    row = Change(party_id=party_id, type=type)
    row.data_sealed = work.privacy.seal_json(data, f"change:data_sealed:{row.id}")
    work.add(row)
    work.audit("change.publish", "change", row.id, type=type)
    wake.party(work, party_id)
    pushing.wanted(work, party_id)
