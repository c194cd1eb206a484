"""Head and answer of a message: result codes, and trade numbers that have their effect once."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Response, jsonify

from mock_partners.answers import Refused, missing
from mock_partners.books import key_of
from mock_partners.memory import Table

log = logging.getLogger(__name__)
Body = Mapping[str, Any]
HEAD = (
    "businessId",
    "sendTradeNum",
    "sender",
    "receiver",
    "intermediary",
    "businessType",
    "recordCount",
    "sendTime",
)
DONE, MALFORMED, TOO_MANY_ROWS, TRADE_REUSED = "0000", "2001", "2002", "2003"
# The desk's refusals in the words of this dialect; what is not named here is malformed.
CODES = {
    "person_unknown": "3001",
    "not_insured": "3001",
    "policy_unknown": "3002",
    "way_not_offered": "3003",
    "visit_unknown": "3004",
    "amounts_differ": "3005",
    "visit_closed": "3006",
    "already_decided": "3007",
    "claim_unknown": "3008",
    "nothing_to_accept": "3009",
    "documents_incomplete": "3010",
    "clearing_no_used": "3011",
    "clearing_no_unknown": "3011",
    "clearing_no_invalid": "3011",
    "payout_differs": "3012",
    "over_approved": "3012",
    "too_many_rows": TOO_MANY_ROWS,
}


@dataclass(frozen=True)
class Asked:
    """One message: our number of the business, what it says, and how many records its head declares."""

    business_id: str
    sender: str
    records: int
    body: Body


Handler = Callable[[Asked], dict[str, Any]]


@dataclass
class Counter:
    """Where every message arrives. `trades` remembers each trade number with its content and answer: the same message
    again is answered as before, another one under the same number is refused. A message that was refused has had no
    effect and may come again. `refusals`: result codes by type, for the next message of that type."""

    receiver: str
    handlers: Mapping[str, Handler]
    trades: Table
    refusals: dict[str, str] = field(default_factory=dict)

    def answer(self, text: str) -> Response:
        head, body = _read(text)
        if head is None or head["receiver"] != self.receiver or head["businessType"] not in self.handlers:
            return _answer(head or {}, MALFORMED, {})
        digest = key_of({"type": head["businessType"], "id": head["businessId"], "body": body})
        known = self.trades.get(head["sendTradeNum"])
        if known is not None:
            same = known["digest"] == digest
            return _answer(head, DONE if same else TRADE_REUSED, known["answer"] if same else {})
        refused = self.refusals.pop(head["businessType"], None)
        code, said = (refused, {}) if refused else self._do(head, body)
        if code == DONE:
            self.trades.put(head["sendTradeNum"], {"type": head["businessType"], "digest": digest, "answer": said})
        return _answer(head, code, said)

    def _do(self, head: Mapping[str, Any], body: Body) -> tuple[str, dict[str, Any]]:
        asked = Asked(head["businessId"], head["sender"], head["recordCount"], body)
        try:
            return DONE, self.handlers[head["businessType"]](asked)
        except Refused as refusal:
            return CODES.get(refusal.code, MALFORMED), {}
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            log.warning("a message was refused as malformed", exc_info=error)
            return MALFORMED, {}


def _read(text: str) -> tuple[dict[str, Any] | None, Body]:
    try:
        message = json.loads(text)
    except ValueError:
        return None, {}
    if missing(message, ("head", "body")) or missing(message["head"], HEAD) or not isinstance(message["body"], dict):
        return None, {}
    return message["head"], message["body"]


def _answer(head: Mapping[str, Any], code: str, body: Body) -> Response:
    echoed = {name: head.get(name) for name in ("businessId", "sendTradeNum", "businessType")}
    return jsonify(head={**echoed, "resultCode": code}, body=body)
