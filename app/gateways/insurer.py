"""The insurer's own interface, in our native dialect. Every call is signed; its message id is its idempotency key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from httpx import Response

from app.gateways.http import Http, sign, signed


class Endpoint(Protocol):
    """Where an insurer is, and the secret (`whsec_…`) with which we sign there."""

    @property
    def url(self) -> str: ...
    @property
    def secret(self) -> str: ...


@dataclass
class Insurer:
    """One client for all insurers. Raises PartnerFault; `unknown` means: ask again under the same message id."""

    http: Http

    def eligibility(self, at: Endpoint, message_id: str, question: dict[str, Any]) -> Any:
        """Is the person insured, and are these bills in scope? Asked before any record is shared."""
        return self._post(at, "/v1/eligibility", message_id, question)

    def deliver(self, at: Endpoint, message_id: str, claim: dict[str, Any]) -> Any:
        """Hand over a claim package: {"claim_no", "policy_no", "package", "remainders"} → {"case_no"}."""
        return self._post(at, "/v1/claims", message_id, claim)

    def tell(self, at: Endpoint, message_id: str, claim_no: str, what: str, body: dict[str, Any]) -> Any:
        """documents, appeal, acceptance, withdrawal, recovery or payout of a claim that was delivered."""
        return self._post(at, f"/v1/claims/{claim_no}/{what}", message_id, body)

    def ledger(self, at: Endpoint, message_id: str, day: date) -> bytes:
        """The insurer's own book of a business date: CSV with header and trailer. PartnerFault `ledger_not_ready`."""
        response = self._of_day(at, "/v1/ledger", message_id, day)
        self.http.require_success(response)
        return response.content

    def ledger_totals(self, at: Endpoint, message_id: str, day: date) -> Any:
        """What that book adds up to: {"count", "amount_fen", "sha256"}, the hash as in app.reconciliation.totals."""
        return self.http.json_of(self._of_day(at, "/v1/ledger/totals", message_id, day))

    def _of_day(self, at: Endpoint, path: str, message_id: str, day: date) -> Response:
        query = f"business_date={day.isoformat()}"
        return self.http.send("GET", f"{at.url}{path}?{query}", headers=sign(at.secret, message_id, query))

    def _post(self, at: Endpoint, path: str, message_id: str, body: dict[str, Any]) -> Any:
        return self.http.ask("POST", at.url + path, **signed(at.secret, message_id, body))
