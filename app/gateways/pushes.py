"""Pushes of a change feed to a partner's own address, as Standard Webhooks describes them.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from app.core.errors import PartnerFault
from app.gateways.http import Http, signed

GONE = 410


class Endpoint(Protocol):
    """A partner's address, and the secrets (`whsec_…`, separated by a blank) with which we sign there."""

    @property
    def url(self) -> str: ...
    @property
    def secret(self) -> str: ...


@dataclass
class Pushes:
    """One client for all partners. Whatever is no 2xx may be mended at the other side, so it is tried again; only 410
    Gone says that nobody wants pushes any more."""

    http: Http

    def send(self, at: Endpoint, message_id: str, body: dict[str, Any]) -> None:
        """Raises PartnerFault, `permanent` for 410."""
        response = self.http.send("POST", at.url, **signed(at.secret, message_id, body))
        try:
            self.http.require_success(response)
        except PartnerFault as fault:
            gone = response.status_code == GONE
            raise PartnerFault(fault.partner, fault.code, permanent=gone, unknown=not gone) from fault
