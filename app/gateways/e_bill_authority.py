"""The finance authority's verification of electronic medical bills (财政电子票据查验)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol, cast, get_args

from app.core.errors import PartnerFault
from app.gateways.http import Http

Answer = Literal["valid", "reversed", "unknown", "check_code_wrong"]


class EBillNumber(Protocol):
    """What stands on an e-bill and identifies it."""

    @property
    def code(self) -> str: ...
    @property
    def number(self) -> str: ...
    @property
    def check_code(self) -> str: ...
    @property
    def issued_on(self) -> date: ...


@dataclass
class EBillAuthority:
    """Without a `url` no authority is connected, and nothing is asked."""

    http: Http
    url: str
    key: str

    @property
    def connected(self) -> bool:
        return bool(self.url)

    def verify(self, e_bill: EBillNumber) -> Answer:
        """What the authority knows of an e-bill. A question changes nothing there, so it may be asked again after any
        PartnerFault."""
        body = {
            "code": e_bill.code,
            "number": e_bill.number,
            "check_code": e_bill.check_code,
            "issued_on": e_bill.issued_on.isoformat(),
        }
        headers = {"Authorization": f"Bearer {self.key}"}
        said = self.http.ask("POST", f"{self.url}/v1/e-bills/verify", json=body, headers=headers)
        status = said.get("status") if isinstance(said, dict) else None
        if status not in get_args(Answer):
            raise PartnerFault(self.http.partner, "answer_unreadable", unknown=True)
        return cast(Answer, status)
