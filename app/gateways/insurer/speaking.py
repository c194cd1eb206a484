"""What a claim needs of an insurer, in whatever dialect."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol


class Endpoint(Protocol):
    """Where an insurer is, its code, the dialect it speaks, and the secrets (`whsec_…`, separated
    by a blank) with which we sign there."""

    @property
    def url(self) -> str: ...
    @property
    def secret(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def dialect(self) -> str: ...


@dataclass(frozen=True)
class News:
    """What an insurer that is asked has to say of a case, as one that tells by itself would post it to the exchange:
    the message's type and data, and the number under which it is heard only once."""

    type: str
    number: str
    data: dict[str, Any] = field(repr=False)


class Dialect(Protocol):
    """Every call raises PartnerFault; `unknown` means: ask again under the same message id, which is the insurer's key
    to know a repetition by."""

    @property
    def is_asked(self) -> bool:
        """Whether this insurer says nothing about a case unless it is asked."""

    def eligibility(self, at: Endpoint, message_id: str, question: dict[str, Any]) -> Any:
        """Is the person insured, and are these bills in scope? Asked before any record is shared. The answer is what
        app.claim.contracts.partners.EligibilityIn reads; without bills, it is about the policies alone."""

    def deliver(self, at: Endpoint, message_id: str, claim: dict[str, Any]) -> Any:
        """Hand over a claim package: {"claim_no", "policy_no", "package", "remainders"} → {"case_no"}. For a dialect
        that carries no package the patient's files come as `documents` beside it."""

    def tell(self, at: Endpoint, message_id: str, claim_no: str, what: str, body: dict[str, Any]) -> Any:
        """documents, appeal, acceptance, withdrawal, recovery or payout of a claim that was delivered. PartnerFault
        `not_in_dialect` for what the dialect has no message for."""

    def news(self, at: Endpoint, message_id: str, case: dict[str, Any]) -> list[News]:
        """What there is to hear of a case: {"claim_no", "lines": {clearing number: [[line number, fen], …]},
        "decision": the one in force as {"decision_no", "supersedes"}, or None}. Always nothing where the insurer tells
        by itself."""
