"""Standard Webhooks in both directions: what a double receives is checked, what it sends is sent until it is taken.

Source: the Standard Webhooks specification (https://www.standardwebhooks.com), PyPI `standardwebhooks`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4
from zlib import crc32

import httpx
from flask import request
from standardwebhooks import Webhook, WebhookVerificationError

from mock_partners.agenda import Agenda
from mock_partners.answers import Answer, refusal
from mock_partners.double import Double

FIRST_RETRY_S, LAST_RETRY_S = 0.2, 10.0
LANES = 2


class Unsigned(Exception):
    """The message does not carry a right and recent signature of the expected caller."""


def sign(secret: str, body: str, message_id: str) -> dict[str, str]:
    """The three headers for `body`, signed now."""
    now = datetime.now(UTC)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, now, body),
    }


def verify(secret: str, body: str, headers: Mapping[str, str]) -> str:
    """The message id of a rightly signed body; raises Unsigned (also for what is malformed)."""
    try:
        Webhook(secret).verify(body, dict(headers), json_parse=False)
    except (WebhookVerificationError, ValueError) as error:
        raise Unsigned from error
    return {name.lower(): value for name, value in headers.items()}["webhook-id"]


def guard(double: Double, secret: str) -> None:
    """Refuse with 401 whatever reaches the double outside `/__mock__/` without a signature by `secret`."""

    def check() -> Answer | None:
        if request.path.startswith("/__mock__/"):
            return None
        signed = request.query_string if request.method == "GET" else request.get_data()
        try:
            verify(secret, signed.decode(), dict(request.headers))
        except (Unsigned, UnicodeDecodeError):
            return refusal(401, "signature_invalid", "签名无效")
        return None

    double.app.before_request(check)


@dataclass
class Habits:
    """How unpleasant a partner's sender is: shares of messages (0 to 1) sent twice, and sent `late_s` later."""

    duplicate: float = 0.0
    late: float = 0.0
    late_s: float = 1.0
    seed: int = 0


class Caller:
    """Signed calls to the platform's exchange as one partner."""

    def __init__(self, url: str, partner: str, secret: str) -> None:
        self._url, self._partner, self._secret = url, partner, secret
        self._http = httpx.Client(timeout=httpx.Timeout(10.0, connect=2.0), trust_env=False)

    def post(self, path: str, body: str, message_id: str) -> httpx.Response:
        """Raises httpx.HTTPError if there is no answer."""
        headers = {
            "Content-Type": "application/json",
            "Zhipei-Partner": self._partner,
            **sign(self._secret, body, message_id),
        }
        return self._http.post(f"{self._url}/exchange/v1/{path}", content=body.encode(), headers=headers)

    def close(self) -> None:
        self._http.close()


def new_message_id() -> str:
    return f"msg_{uuid4().hex}"


class Sender:
    """Posts messages to the platform in the background until each is answered with 2xx, always under the same id.

    Messages about one subject go out one after the other, in order unless one has to be tried again. What is still to
    be sent stands in the double's tables `outbox0`, `outbox1`, what was taken in `sent` (id, type, tries, status).
    """

    def __init__(self, double: Double, caller: Caller) -> None:
        self._caller = caller
        self._sent = double.table("sent")
        self._lanes = [Agenda(double.table(f"outbox{n}"), self._deliver) for n in range(LANES)]
        self.habits = Habits()
        self._random = random.Random(self.habits.seed)

    def start(self) -> None:
        for lane in self._lanes:
            lane.start()

    def stop(self) -> None:
        for lane in self._lanes:
            lane.stop()
        self._caller.close()

    def idle(self) -> bool:
        return all(lane.idle() for lane in self._lanes)

    def behave(self, **habits: Any) -> None:
        self.habits = Habits(**habits)
        self._random = random.Random(self.habits.seed)

    def post(self, kind: str, subject: str, data: Mapping[str, Any]) -> str:
        """Queue one message about a subject (a claim, a transfer); returns its id."""
        lane = self._lanes[crc32(subject.encode()) % LANES]
        message_id = new_message_id()
        body = json.dumps({"type": kind, "data": data}, ensure_ascii=False, separators=(",", ":"))
        item = {"message_id": message_id, "type": kind, "body": body, "tries": 0}
        late = self._random.random() < self.habits.late
        lane.put(message_id, item, in_s=self.habits.late_s if late else 0.0)
        if self._random.random() < self.habits.duplicate:
            lane.put(f"{message_id}:again", dict(item), in_s=self._random.random() * self.habits.late_s)
        return message_id

    def _deliver(self, key: str, item: dict[str, Any]) -> float | None:
        item["tries"] += 1
        status, retry_after_s = self._send(item)
        if 200 <= status < 300:
            self._sent.put(key, {**item, "status": status})
            return None
        backoff_s = min(FIRST_RETRY_S * 2.0 ** min(int(item["tries"]) - 1, 10), LAST_RETRY_S)
        return max(retry_after_s, backoff_s * self._random.uniform(0.8, 1.2))

    def _send(self, item: Mapping[str, Any]) -> tuple[int, float]:
        try:
            answer = self._caller.post("messages", item["body"], item["message_id"])
        except httpx.HTTPError:
            return 0, 0.0
        after = answer.headers.get("Retry-After", "")
        return answer.status_code, float(after) if after.isdigit() else 0.0


def canonical(value: Any) -> bytes:
    """The one JSON text of a value: sorted keys, no blanks, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
