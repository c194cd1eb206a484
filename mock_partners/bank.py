"""The insurers' bank: transfers by our number, results told later, money that comes back, a statement per day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from flask import Response, jsonify, request

from mock_partners import books
from mock_partners.answers import Answer, answer_refusals, json_body
from mock_partners.double import Double
from mock_partners.signing import Caller, Sender, guard
from mock_partners.transfers import ORDER, Settings, Transfers

STATEMENT = ("bank_no", "out_no", "kind", "from_account", "to_account", "amount_fen", "status", "at")
FIRST_BALANCE_FEN = 100_000_000_00
REASONS = {
    "account_invalid": "收款账号不正确",
    "account_closed": "收款账户已销户",
    "name_mismatch": "收款户名不符",
    "insufficient_balance": "付款账户余额不足",
    "returned": "收款行退汇",
}


class Bank(Double):
    """`accounts`: the account numbers that may be paid from. Each starts with the same balance."""

    def __init__(
        self, world: Mapping[str, Any], *, state_dir: Path | None = None, first_balance_fen: int = FIRST_BALANCE_FEN
    ) -> None:
        bank = world["bank"]
        super().__init__(bank["code"], state_dir=state_dir)
        self.sender = Sender(self, Caller(world["platform"]["exchange_url"], bank["partner"], bank["secret"]))
        self.transfers = Transfers(self, self.sender, Settings(business_date=world.get("business_date", "")))
        self.transfers.open((insurer["bank_account"] for insurer in world["insurers"]), first_balance_fen)
        guard(self, bank["outbound_secret"])
        answer_refusals(self.app)
        self._transfer_routes()
        self._control_routes()

    def start(self, port: int = 0, *, host: str = "127.0.0.1") -> str:
        self.sender.start()
        self.transfers.agenda.start()
        return super().start(port, host=host)

    def stop(self) -> None:
        self.transfers.agenda.stop()
        self.sender.stop()
        super().stop()

    def idle(self) -> bool:
        return self.transfers.agenda.idle() and self.sender.idle()

    def _transfer_routes(self) -> None:
        app = self.app

        @app.post("/v1/transfers")
        def transfer() -> Response:
            with self.lock:
                return jsonify(_public(self.transfers.take(json_body(*ORDER))))

        @app.post("/v1/transfers/query")
        def query() -> Response:
            return jsonify(_public(self.transfers.find(json_body("out_no")["out_no"])))

        @app.get("/v1/statements")
        def statements() -> Response:
            with self.lock:
                text = books.csv_file(STATEMENT, self.transfers.statement(request.args.get("date", "")))
            return Response(text, content_type="text/csv; charset=utf-8")

    def _control_routes(self) -> None:
        app = self.app

        @app.post("/__mock__/cards")
        def cards() -> Answer:
            with self.lock:
                for card in request.get_json():
                    self.transfers.register(card)
            return jsonify(cards=len(request.get_json())), 201

        @app.post("/__mock__/settings")
        def settings() -> Response:
            changes = request.get_json()
            if "sender" in changes:
                self.sender.behave(**changes.pop("sender"))
            self.transfers.settings = replace(self.transfers.settings, **changes)
            return jsonify(vars(self.transfers.settings))

        @app.get("/__mock__/idle")
        def idle() -> Response:
            return jsonify(idle=self.idle())


def _public(transfer: Mapping[str, Any]) -> dict[str, Any]:
    text = REASONS.get(transfer["reason"], "")
    return {**{name: transfer[name] for name in ("bank_no", "status", "reason")}, "reason_text": text}
