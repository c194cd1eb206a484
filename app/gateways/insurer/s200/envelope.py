"""One message of the S200 dialect and its answer: the head, the trade number, and what a result code means.

Every message is a signed `POST {url}/s200` of {"head", "body"}. The trade number (`sendTradeNum`) is the idempotency
key, and the message id under which we sign: the same on every try of the same message, never the same for another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.core.clock import SHANGHAI
from app.core.errors import PartnerFault
from app.gateways.http import Http, signed
from app.gateways.insurer.speaking import Endpoint

PATH = "/s200"
# Who stands between hospital and insurer, and who speaks where no hospital does.
PLATFORM = "ZHIPEI"
DONE = "0000"
BUSY = "1001"
# What the insurer certainly did not do, and never will.
REFUSALS = {
    "2001": "malformed",
    "2002": "too_many_rows",
    "2003": "trade_number_reused",
    "3001": "person_unknown",
    "3002": "policy_unknown",
    "3003": "way_not_offered",
    "3004": "visit_unknown",
    "3005": "amounts_differ",
    "3006": "visit_closed",
    "3007": "already_decided",
    "3008": "claim_unknown",
    "3009": "nothing_to_accept",
    "3010": "documents_refused",
    "3011": "clearing_no_used",
    "3012": "payout_differs",
}


@dataclass(frozen=True)
class Message:
    """`business_id` is our number of what it is about: a clearing number or a claim number."""

    business_type: str
    trade_no: str
    business_id: str
    body: Mapping[str, Any]
    sender: str = PLATFORM
    record_count: int = 1


@dataclass
class Line:
    """The line to insurers that speak this dialect."""

    http: Http

    def send(self, at: Endpoint, message: Message) -> dict[str, Any]:
        """The answer's body. PartnerFault: busy is temporary, a refusal permanent, whatever is not in the table of
        result codes unknown."""
        asked = {"head": _head(at, message), "body": message.body}
        answer = self.http.ask("POST", at.url + PATH, **signed(at.secret, message.trade_no, asked))
        head, body = _parts(answer)
        if head.get("sendTradeNum") != message.trade_no:
            raise PartnerFault(self.http.partner, "foreign_answer", unknown=True)
        code = str(head.get("resultCode"))
        if code == DONE and isinstance(body, dict):
            return body
        if code == BUSY:
            raise PartnerFault(self.http.partner, "busy")
        if code in REFUSALS:
            raise PartnerFault(self.http.partner, REFUSALS[code], permanent=True)
        raise PartnerFault(self.http.partner, f"s200_{code[:16]}", unknown=True)


def _head(at: Endpoint, message: Message) -> dict[str, Any]:
    return {
        "businessId": message.business_id,
        "sendTradeNum": message.trade_no,
        "sender": message.sender,
        "receiver": at.code,
        "intermediary": PLATFORM,
        "businessType": message.business_type,
        "recordCount": message.record_count,
        "sendTime": local_time(datetime.now(UTC).isoformat()),
    }


def local_time(at: str) -> str:
    """RFC 3339 → "2026-11-21 10:00:00" in Shanghai."""
    return f"{datetime.fromisoformat(at).astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"


def _parts(answer: Any) -> tuple[dict[str, Any], Any]:
    head = answer.get("head") if isinstance(answer, dict) else None
    return (head, answer.get("body")) if isinstance(head, dict) else ({}, None)
