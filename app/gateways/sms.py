"""SMS: a registered signature and template with parameters, never free text."""

from __future__ import annotations

from dataclasses import dataclass

from app.gateways.http import Http

SIGNATURE = "直赔"


@dataclass
class Sms:
    """`out_id` is our number: the same one again is the same message."""

    http: Http
    url: str
    key: str

    def send(self, out_id: str, phone: str, template_id: str, params: dict[str, str]) -> str:
        """The provider's message id. PartnerFault."""
        body = {"out_id": out_id, "sign": SIGNATURE, "template_id": template_id, "phone": phone, "params": params}
        headers = {"Authorization": f"Bearer {self.key}"}
        return str(self.http.ask("POST", f"{self.url}/v1/messages", json=body, headers=headers)["message_id"])
