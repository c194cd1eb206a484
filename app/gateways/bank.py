"""The bank from whose accounts insurers pay bank cards. Every call is signed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from app.core.errors import PartnerFault
from app.core.strict_json import read_json
from app.gateways.http import Http, sign, signed

UNKNOWN_NUMBER = "transfer_unknown"


class Endpoint(Protocol):
    @property
    def url(self) -> str: ...
    @property
    def secret(self) -> str: ...


@dataclass(frozen=True)
class BankTransfer:
    """`out_no` is our number and the bank's idempotency key: it never changes on a retry."""

    out_no: str
    from_account: str = field(repr=False)
    to_account: str = field(repr=False)
    to_name: str = field(repr=False)
    amount_fen: int
    remark: str


@dataclass
class Bank:
    http: Http

    def transfer(self, at: Endpoint, transfer: BankTransfer) -> dict[str, Any]:
        """{"bank_no", "status": accepted | succeeded | failed, "reason"}; a PartnerFault that is `unknown`: query."""
        body = {
            "out_no": transfer.out_no,
            "from_account": transfer.from_account,
            "to_account": transfer.to_account,
            "to_name": transfer.to_name,
            "amount_fen": transfer.amount_fen,
            "remark": transfer.remark,
        }
        answer = self.http.ask("POST", f"{at.url}/v1/transfers", **signed(at.secret, transfer.out_no, body))
        if not isinstance(answer, dict):
            raise PartnerFault(self.http.partner, "not_an_object", unknown=True)
        return answer

    def query(self, at: Endpoint, message_id: str, out_no: str) -> dict[str, Any] | None:
        """What became of a transfer; None if the bank says that it has no such number. Another 404 says nothing."""
        asked = signed(at.secret, message_id, {"out_no": out_no})
        response = self.http.send("POST", f"{at.url}/v1/transfers/query", **asked)
        try:
            self.http.require_success(response)
        except PartnerFault as fault:
            if response.status_code == 404 and fault.code == UNKNOWN_NUMBER:
                return None
            raise
        try:
            return dict(read_json(response.content))
        except (ValueError, TypeError) as error:
            raise PartnerFault(self.http.partner, "not_json") from error

    def statement(self, at: Endpoint, message_id: str, day: date) -> bytes:
        """The account statement of a day: CSV with header and trailer."""
        query = f"date={day.isoformat()}"
        response = self.http.send("GET", f"{at.url}/v1/statements?{query}", headers=sign(at.secret, message_id, query))
        self.http.require_success(response)
        return response.content
