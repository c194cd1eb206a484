"""An insurer's address for what the platform sends: eligibility, packages, what becomes of a claim, pushed changes.

`handle` is the whole of it; put it behind any HTTPS server. What came is kept under its webhook-id before it is
answered, and the same id again gets the same answer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from exchange import is_ours

Answer = tuple[int, dict[str, Any]]


class Receiver:
    """`secrets`: the outbound secrets (`whsec_…`) that the platform signs with, two while one is being changed."""

    def __init__(self, secrets: list[str]) -> None:
        self.secrets = secrets
        self.answers: dict[str, Answer] = {}  # 生产中是一张表，与业务数据同一事务
        self.cases: dict[str, str] = {}

    def handle(self, path: str, headers: Mapping[str, str], body: str) -> Answer:
        if not is_ours(self.secrets, headers, body):
            return 401, {"code": "signature_invalid"}
        message_id = {name.lower(): value for name, value in headers.items()}["webhook-id"]
        if message_id not in self.answers:
            self.answers[message_id] = self._answer(path, json.loads(body))
        return self.answers[message_id]

    def _answer(self, path: str, body: dict[str, Any]) -> Answer:
        if path == "/v1/eligibility":
            return 200, {"insured": False, "policies": []}
        if path == "/v1/claims":
            case_no = self.cases.setdefault(body["claim_no"], f"CASE-{len(self.cases) + 1:06d}")
            return 202, {"case_no": case_no}
        return 202, {}  # documents、appeal、acceptance、withdrawal、recovery、payout，以及推送的变更
