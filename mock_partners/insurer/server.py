"""The insurer double over HTTP: the platform's signed calls, and what a day's driver may set under `/__mock__/`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from flask import Response, jsonify, request

from mock_partners import books
from mock_partners.agenda import Agenda
from mock_partners.answers import Answer, Refused, answer_refusals, json_body
from mock_partners.double import Double
from mock_partners.insurer import desk
from mock_partners.insurer.adjuster import think
from mock_partners.insurer.casebook import Casebook, Settings
from mock_partners.insurer.feed import Feed
from mock_partners.insurer.intake import take_in
from mock_partners.insurer.package import ANY_KEY
from mock_partners.insurer.policies import eligibility, parse
from mock_partners.signing import Caller, Sender, guard


class Insurer(Double):
    """One insurer of a world: `world["insurers"][i]` and the platform it talks to, `world["platform"]`."""

    def __init__(
        self, insurer: Mapping[str, Any], platform: Mapping[str, Any], *, state_dir: Path | None = None
    ) -> None:
        super().__init__(insurer["code"], state_dir=state_dir)
        caller = Caller(platform["exchange_url"], insurer["partner"], insurer["secret"])
        self.sender = Sender(self, caller)
        self.feed = Feed(self, caller)
        self.book = Casebook(self, insurer["code"], self.sender)
        settings = {"package_public_keys": _keys(platform), **self.table("settings").get("now", {})}
        self.book.settings = Settings(**settings)
        if "package_key" in insurer:
            self.book.keyring.add(insurer["package_key"]["private_key_pem"])
        self.book.agenda = Agenda(self.table("agenda"), lambda claim_no, _: think(self.book, claim_no))
        guard(self, insurer["outbound_secret"])
        answer_refusals(self.app)
        self._case_routes()
        self._read_routes()
        self._control_routes()
        self._books_routes()
        self._feed_routes()

    def start(self, port: int = 0, *, host: str = "127.0.0.1") -> str:
        self.sender.start()
        self.book.agenda.start()
        return super().start(port, host=host)

    def stop(self) -> None:
        self.book.agenda.stop()
        self.sender.stop()
        super().stop()

    def idle(self) -> bool:
        """Nothing waits for the adjuster and every message was taken."""
        return self.book.agenda.idle() and self.sender.idle()

    def _case_routes(self) -> None:
        app, book = self.app, self.book

        @app.post("/v1/claims")
        def claims() -> Answer:
            with self.lock:
                return jsonify(case_no=take_in(book, json_body())["case_no"]), 202

        def step(name: str, work: Callable[[str, Mapping[str, Any]], None]) -> None:
            def view(claim_no: str) -> Answer:
                with self.lock:
                    work(claim_no, json_body())
                return jsonify({}), 202

            app.add_url_rule(f"/v1/claims/<claim_no>/{name}", name, view, methods=["POST"])

        step("documents", lambda claim_no, body: desk.supply(book, claim_no, body))
        step("appeal", lambda claim_no, body: desk.appeal(book, claim_no, body))
        step("acceptance", lambda claim_no, body: desk.accept(book, claim_no))
        step("withdrawal", lambda claim_no, body: desk.withdraw(book, claim_no, body))
        step("recovery", lambda claim_no, body: desk.recovery(book, claim_no, body))
        step("payout", lambda claim_no, body: desk.payout(book, claim_no, body))

        @app.post("/v1/eligibility")
        def eligible() -> Response:
            body = json_body("request_no", "hospital_code", "person", "on")
            with self.lock:
                return jsonify(_eligibility(book, body))

    def _read_routes(self) -> None:
        app, book = self.app, self.book

        def rows_of_day() -> list[dict[str, Any]]:
            business_date = request.args.get("business_date", "")
            if business_date in book.settings.ledger_not_ready:
                raise Refused(404, "ledger_not_ready", "对账文件尚未生成")
            with self.lock:
                return book.ledger.rows_of(business_date)

        @app.get("/v1/ledger/totals")
        def totals() -> Response:
            if not book.settings.ledger_totals:
                raise Refused(404, "not_found", "没有这个接口")
            return jsonify(books.totals(rows_of_day(), book.settings.totals_fault))

        @app.get("/v1/ledger")
        def ledger() -> Response:
            rows = rows_of_day()
            text = books.csv_file(books.COLUMNS, rows, book.settings.ledger_fault)
            return Response(text, content_type="text/csv; charset=utf-8")

    def _control_routes(self) -> None:
        app, book = self.app, self.book

        @app.post("/__mock__/policies")
        def policies() -> Answer:
            bodies = request.get_json()
            for body in bodies:
                parse(body)
            with self.lock:
                for body in bodies:
                    book.policies.put(body["policy_no"], body)
            return jsonify(policies=len(bodies)), 201

        @app.post("/__mock__/settings")
        def settings() -> Response:
            changes = request.get_json()
            if "sender" in changes:
                self.sender.behave(**changes.pop("sender"))
            book.settings = replace(book.settings, **changes)
            self.table("settings").put("now", vars(book.settings))
            return jsonify(vars(book.settings))

    def _feed_routes(self) -> None:
        app, feed = self.app, self.feed

        @app.post("/__mock__/requests")
        def ask() -> Answer:
            return jsonify(request_no=feed.ask(**json_body("hospital", "kind", "data"))), 202

        @app.post("/__mock__/requests/answers")
        def answers() -> Response:
            return jsonify(feed.collect())

        @app.post("/v1/changes")
        def receive() -> Answer:
            with self.lock:
                feed.receive(request.headers["webhook-id"], json_body("cursor", "type", "data"))
            return jsonify({}), 202

        @app.post("/__mock__/changes")
        def changes() -> Response:
            return jsonify(feed.follow())

    def _books_routes(self) -> None:
        app, book = self.app, self.book

        @app.post("/__mock__/alter")
        def alter() -> Answer:
            with self.lock:
                return jsonify(book.ledger.alter(request.get_json())), 200

        @app.get("/__mock__/altered")
        def altered() -> Response:
            return jsonify(book.ledger.alterations())

        @app.get("/__mock__/idle")
        def idle() -> Response:
            return jsonify(idle=self.idle())


def _eligibility(book: Casebook, body: Mapping[str, Any]) -> dict[str, Any]:
    mine = [policy for policy in map(parse, book.policies.values()) if policy.insured.is_same(body["person"])]
    answers = []
    for policy in sorted(mine, key=lambda p: p.policy_no):
        in_scope, bills = eligibility(policy, body)
        left = book.left(policy)
        reasons = {reason["code"]: reason for bill in bills for reason in bill["reasons"]}
        answers.append(
            {
                "policy_no": policy.policy_no,
                "product_name": policy.product_name,
                "product_filing_no": policy.product_filing_no,
                "valid_from": policy.valid_from.isoformat(),
                "valid_to": policy.valid_to.isoformat(),
                "in_scope": in_scope,
                "deductible_left_fen": left.deductible_fen,
                "ratio": str(policy.ratio),
                "ceiling_left_fen": left.ceiling_fen,
                "reasons": list(reasons.values()),
                "bills": bills,
            }
        )
    answer = {"insured": bool(answers), "policies": answers}
    if amount_fen := book.settings.paid_elsewhere_fen:
        numbers = [bill["clearing_no"] for bill in body.get("bills") or ()]
        answer["paid_elsewhere"] = [{"clearing_no": number, "amount_fen": amount_fen} for number in numbers]
    return answer


def _keys(platform: Mapping[str, Any]) -> dict[str, str]:
    keys = dict(platform.get("package_public_keys") or {})
    if platform.get("package_public_key"):
        keys[ANY_KEY] = platform["package_public_key"]
    return keys
