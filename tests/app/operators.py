"""Operators of tests: logged in without a password, which has tests of its own."""

from __future__ import annotations

import uuid
from datetime import timedelta
from uuid import UUID

from app.core.work import Runtime
from app.identity.operators.models import Operator, OperatorRole, OperatorSession
from app.identity.operators.rules import DUTIES
from app.identity.session import service as sessions


def operator(runtime: Runtime, role: str, party_id: UUID | None = None) -> dict[str, str]:
    """The headers of a new operator who is logged in; without a party one of the platform's own."""
    with runtime.work() as work:
        row = Operator(login=uuid.uuid4().hex, party_id=party_id, duty=DUTIES[role], password_hash="-")
        work.seal(row, "totp_sealed", "-")
        work.add(row)
        work.session.flush()
        work.add(OperatorRole(operator_id=row.id, role=role, duty=DUTIES[role]))
        session = OperatorSession(operator_id=row.id, expires_at=work.now + timedelta(hours=1))
        pair = sessions.begin(work, "operator", session)
    return {"Authorization": f"Bearer {pair.access_token}"}
