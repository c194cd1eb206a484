"""The platform's side of the wire, as small as the doubles need it: a signed client and a place that takes messages."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
from flask import Response, jsonify, request
from standardwebhooks import Webhook

from mock_partners.double import Double


def secret(text: str) -> str:
    return "whsec_" + base64.b64encode(text.encode().ljust(32, b".")).decode()


class Exchange(Double):
    """Takes partners' messages; checks each signature with the library, and keeps ids and bodies in order."""

    def __init__(self, secrets: dict[str, str]) -> None:
        super().__init__("exchange")
        self.taken: list[tuple[str, str, dict[str, Any]]] = []

        @self.app.post("/exchange/v1/messages")
        def messages() -> tuple[Response, int]:
            Webhook(secrets[request.headers["Zhipei-Partner"]]).verify(request.get_data(), dict(request.headers))
            body = request.get_json()
            self.taken.append((request.headers["webhook-id"], body["type"], body["data"]))
            return jsonify(message_id=request.headers["webhook-id"]), 202

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [data for _, what, data in self.taken if what == kind]

    def wait_for(self, kind: str, count: int = 1) -> list[dict[str, Any]]:
        wait_until(lambda: len(self.of(kind)) >= count)
        return self.of(kind)


@dataclass
class Signed:
    """A client that signs as the platform does."""

    url: str
    secret: str
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=5, trust_env=False))

    def post(self, path: str, body: Any, *, message_id: str = "") -> httpx.Response:
        text = json.dumps(body, ensure_ascii=False)
        headers = {"Content-Type": "application/json", **self.headers(text, message_id)}
        return self.http.post(self.url + path, content=text.encode(), headers=headers)

    def get(self, path: str, query: str) -> httpx.Response:
        return self.http.get(f"{self.url}{path}?{query}", headers=self.headers(query))

    def control(self, path: str, body: Any) -> httpx.Response:
        return self.http.post(f"{self.url}/__mock__/{path}", json=body)

    def headers(self, text: str, message_id: str = "") -> dict[str, str]:
        message_id, now = message_id or f"msg_{uuid4().hex}", datetime.now(UTC)
        return {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(self.secret).sign(message_id, now, text),
        }


def wait_until(true: Callable[[], bool], *, timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


SECRETS = {"I1-core": secret("insurer in"), "B1-core": secret("bank in")}
