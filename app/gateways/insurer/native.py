"""Our native dialect. Every call is signed; its message id is its idempotency key. The insurer answers with a case
number, and tells everything else by messages to the exchange."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.gateways.http import Http, signed
from app.gateways.insurer.speaking import Endpoint, News


@dataclass
class Native:
    http: Http
    is_asked = False

    def eligibility(self, at: Endpoint, message_id: str, question: dict[str, Any]) -> Any:
        return self._post(at, "/v1/eligibility", message_id, question)

    def deliver(self, at: Endpoint, message_id: str, claim: dict[str, Any]) -> Any:
        return self._post(at, "/v1/claims", message_id, claim)

    def tell(self, at: Endpoint, message_id: str, claim_no: str, what: str, body: dict[str, Any]) -> Any:
        return self._post(at, f"/v1/claims/{claim_no}/{what}", message_id, body)

    def news(self, at: Endpoint, message_id: str, case: dict[str, Any]) -> list[News]:
        return []

    def _post(self, at: Endpoint, path: str, message_id: str, body: dict[str, Any]) -> Any:
        return self.http.ask("POST", at.url + path, **signed(at.secret, message_id, body))
