"""E-mail through the provider's HTTP interface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.core.letters import Letter
from app.gateways.http import Http


@dataclass
class Mail:
    """`out_id` is our number: the same one again is the same letter."""

    http: Http
    url: str
    key: str
    sender: str

    def send(self, out_id: str, letter: Letter) -> str:
        """The provider's message id. PartnerFault."""
        body: dict[str, Any] = {
            "out_id": out_id,
            "from": self.sender,
            "to": list(letter.to),
            "subject": letter.subject,
            "html": letter.html,
            "inline": [file.to_json("cid") for file in letter.inline],
            "attachments": [file.to_json("name") for file in letter.attachments],
        }
        headers = {"Authorization": f"Bearer {self.key}"}
        return str(self.http.ask("POST", f"{self.url}/v1/mails", json=body, headers=headers)["message_id"])
