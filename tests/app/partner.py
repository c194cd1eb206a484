"""A partner's program in a test: signs what it sends, as a hospital's agent or an insurer's core system does."""

from __future__ import annotations

import gzip
import json
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from flask.testing import FlaskClient
from standardwebhooks import Webhook


@dataclass(frozen=True)
class PartnerClient:
    """`post` signs, sends and gives Flask's test response; keywords override one piece each, to send what is wrong."""

    client: FlaskClient
    code: str
    secret: str

    def post(self, path: str, body: Any, *, zipped: bool = False, **wrong: Any) -> Any:
        text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
        headers = self.headers(text, **wrong)
        data = text.encode()
        if zipped:
            data, headers = gzip.compress(data), headers | {"Content-Encoding": "gzip"}
        return self.client.post(f"/exchange/v1{path}", data=data, headers=headers)

    def headers(
        self, text: str, *, message_id: str = "", age_s: float = 0, secret: str = "", **given: str
    ) -> dict[str, str]:
        message_id = message_id or f"msg_{uuid.uuid4().hex}"
        at = datetime.fromtimestamp(time.time() - age_s, UTC)
        return {
            "Content-Type": "application/json",
            "Zhipei-Partner": self.code,
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(secret or self.secret).sign(message_id, at, text),
        } | {name.replace("_", "-"): value for name, value in given.items()}

    def ok(self, path: str, body: Any, **how: Any) -> Any:
        """The JSON of a 2xx answer."""
        answer = self.post(path, body, **how)
        assert 200 <= answer.status_code < 300, (answer.status_code, answer.get_json(silent=True))
        return answer.get_json()

    def poll(self, **ask: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ok("/commands/poll", {"max": 200, "wait_ms": 0, "lanes": None} | ask)[
            "commands"
        ]
        return found

    def answer(self, command_id: str, body: Mapping[str, Any] | None = None, **how: Any) -> Any:
        given = {"id": command_id, "outcome": "done", "code": None, "message": None, "body": body or {}} | how
        return self.ok("/commands/answers", {"answers": [given]})


@dataclass
class World:
    """Parties that know us: `party[code]` is an id, `partner[code]` a program that can call."""

    party: dict[str, UUID] = field(default_factory=dict)
    partner: dict[str, PartnerClient] = field(default_factory=dict)


def batch(
    batch_no: int, kind: str, rows: Sequence[Mapping[str, Any]], *, business_date: str = "2026-11-21", **wrong: Any
) -> dict[str, Any]:
    """A batch as an agent declares it."""
    text = json.dumps(rows, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    amounts = {"bill": "total_fen", "ledger": "amount_fen"}
    return {
        "batch_no": batch_no,
        "kind": kind,
        "business_date": business_date,
        "count": len(rows),
        "amount_fen": sum(r["data"][amounts[r["type"]]] for r in rows if r["type"] in amounts),
        "sha256": sha256(text.encode()).hexdigest(),
        "rows": list(rows),
    } | wrong
