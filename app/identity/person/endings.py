"""How a binding ends, whoever ends it."""

from __future__ import annotations

from app.core.work import Work
from app.exchange import service as exchange
from app.identity.person import patients
from app.identity.person.models import Binding
from app.identity.person.states import bindings

REVOKED_BY_HOSPITAL = "revoked_by_hospital"


def end(work: Work, row: Binding, why: str) -> None:
    """Revoke a pending or live binding; the hospital is told, or no longer asked."""
    person_id, command_id = row.person_id, row.command_id
    shown = {"refused_code": why} if why == REVOKED_BY_HOSPITAL else {}
    bindings.move(work, [row.id], "revoke", values=forgotten() | shown, why=why)
    if person_id is not None:
        patients.untie(work, row.hospital_id, person_id, row.account_id)
    elif command_id is not None:
        exchange.withdraw(work, command_id)
    work.emit("identity.unbound", row.id)
    if why == REVOKED_BY_HOSPITAL:
        work.emit("identity.unbound_by_hospital", row.id)


def forgotten() -> dict[str, str | None]:
    """A claim that led to nothing is not kept."""
    return {"claim_sealed": None, "guardian_proof_sealed": None}
