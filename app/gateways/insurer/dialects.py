"""One client for all insurers: what is the same for each, and the dialect that the insurer's configuration names."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from httpx import Response

from app.core.errors import PartnerFault
from app.gateways.http import Http, sign
from app.gateways.insurer.native import Native
from app.gateways.insurer.s200.client import S200
from app.gateways.insurer.speaking import Dialect, Endpoint, News


@dataclass
class Insurer:
    """Raises PartnerFault; `unknown` means: ask again under the same message id."""

    http: Http
    dialects: dict[str, Dialect] = field(init=False)

    def __post_init__(self) -> None:
        self.dialects = {"native": Native(self.http), "s200": S200(self.http)}

    def eligibility(self, at: Endpoint, message_id: str, question: dict[str, Any]) -> Any:
        return self._dialect(at).eligibility(at, message_id, question)

    def deliver(self, at: Endpoint, message_id: str, claim: dict[str, Any]) -> Any:
        return self._dialect(at).deliver(at, message_id, claim)

    def tell(self, at: Endpoint, message_id: str, claim_no: str, what: str, body: dict[str, Any]) -> Any:
        return self._dialect(at).tell(at, message_id, claim_no, what, body)

    def is_asked(self, at: Endpoint) -> bool:
        """Whether this insurer says nothing about a case unless it is asked."""
        return self._dialect(at).is_asked

    def news(self, at: Endpoint, message_id: str, case: dict[str, Any]) -> list[News]:
        return self._dialect(at).news(at, message_id, case)

    def ledger(self, at: Endpoint, message_id: str, day: date) -> bytes:
        """The insurer's own book of a business date, the same file in every dialect: CSV with header and trailer.
        PartnerFault `ledger_not_ready`."""
        response = self._of_day(at, "/v1/ledger", message_id, day)
        self.http.require_success(response)
        return response.content

    def ledger_totals(self, at: Endpoint, message_id: str, day: date) -> Any:
        """What that book adds up to: {"count", "amount_fen", "sha256"}, the hash as in app.reconciliation.totals."""
        return self.http.json_of(self._of_day(at, "/v1/ledger/totals", message_id, day))

    def _of_day(self, at: Endpoint, path: str, message_id: str, day: date) -> Response:
        query = f"business_date={day.isoformat()}"
        return self.http.send("GET", f"{at.url}{path}?{query}", headers=sign(at.secret, message_id, query))

    def _dialect(self, at: Endpoint) -> Dialect:
        try:
            return self.dialects[at.dialect]
        except KeyError:
            raise PartnerFault(self.http.partner, "dialect_unknown", permanent=True) from None
