"""The night's look at what must not have changed: check fields, the audit chain, the ledger's sums."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from sqlalchemy.orm import Session

from app.audit import service as audit
from app.core.checks import checked_models, tampered
from app.core.privacy import Privacy
from app.payout import queries as payouts
from app.reconciliation import rules


@dataclass(frozen=True)
class Integrity:
    """`tampered` names at most rules.MOST_TAMPERED rows as `table:id`, `ledger` what does not add up there;
    `chain_broken_at` is the first entry of the audit chain that does not fit, None while it holds."""

    tables: int
    tampered: tuple[str, ...]
    ledger: tuple[str, ...]
    audit_entries: int
    audit_unsealed: int
    chain_broken_at: int | None

    def as_json(self) -> dict[str, Any]:
        return {
            "tables": self.tables,
            "tampered": list(self.tampered),
            "ledger": list(self.ledger),
            "audit_entries": self.audit_entries,
            "audit_unsealed": self.audit_unsealed,
            "chain_broken_at": self.chain_broken_at,
        }


def look(session: Session, privacy: Privacy) -> Integrity:
    """Verify every row that carries money or a decision, the whole audit chain, and the sums of the ledger."""
    models = checked_models()
    changed = chain.from_iterable(tampered(session, privacy, model) for model in models)
    report = audit.verify(session)
    return Integrity(
        len(models),
        tuple(islice(changed, rules.MOST_TAMPERED)),
        tuple(payouts.ledger_faults(session)[: rules.MOST_TAMPERED]),
        report.entries,
        report.unsealed,
        report.broken_at,
    )
