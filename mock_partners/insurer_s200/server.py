"""The S200 dialect over HTTP: one counter for every message. It tells nothing by itself; whoever wants to know asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Response, jsonify, request

from mock_partners.answers import json_body
from mock_partners.insurer.server import Insurer
from mock_partners.insurer_s200.cases import Cases
from mock_partners.insurer_s200.envelope import Counter, Handler
from mock_partners.insurer_s200.settlements import Settlements
from mock_partners.insurer_s200.visits import Visits
from mock_partners.signing import Sender


@dataclass
class Quiet:
    """Around a sender: this dialect has no messages of the insurer's own but the end of a recovery, which is agreed
    with its extension ZP02."""

    sender: Sender

    def post(self, kind: str, subject: str, data: Mapping[str, Any]) -> str:
        return self.sender.post(kind, subject, data) if kind == "claim.recovery_ended" else ""


class InsurerS200(Insurer):
    """Policies, rules, desk, books and what a day's driver may set are those of the native double; so are the book of a
    day (`GET /v1/ledger`) and what it fetches from the exchange. Claims come by `POST /s200` alone."""

    def __init__(
        self, insurer: Mapping[str, Any], platform: Mapping[str, Any], *, state_dir: Path | None = None
    ) -> None:
        super().__init__(insurer, platform, state_dir=state_dir)
        self.book.sender = Quiet(self.sender)

    def _case_routes(self) -> None:
        counter = Counter(self.name, self._handlers(), self.table("trades"))
        self._refusals = counter.refusals

        @self.app.post("/s200")
        def messages() -> Response:
            with self.lock:
                return counter.answer(request.get_data(as_text=True))

        @self.app.post("/__mock__/refusals")
        def refusals() -> Response:
            self.refuse_next(**json_body("business_type", "code"))
            return jsonify(self._refusals)

    def refuse_next(self, business_type: str, code: str) -> None:
        """Answer the next message of this type with a result code, and do nothing of it."""
        with self.lock:
            self._refusals[business_type] = code

    def _handlers(self) -> dict[str, Handler]:
        visits = Visits(self.book, self.table("visits"))
        settlements, cases = Settlements(self.book, visits), Cases(self.book, visits)
        return {
            "S200": cases.policies,
            "S210": visits.open,
            "S230": visits.change,
            "S240": visits.cancel,
            "S250": visits.add_fees,
            "S260": visits.revoke_fees,
            "S270": settlements.cancel,
            "S290": settlements.trial,
            "S291": settlements.settle,
            "S300": cases.apply,
            "S310": cases.accept,
            "S340": cases.records,
            "ZP01": cases.payout,
            "ZP02": cases.recovery,
        }
