"""The interface over HTTP: `POST /fsi/api`, one envelope for every transaction number.

`infcode` 0 is done, -1 is refused with `err_msg`. The response headers `X-Received-Ms` and `X-Answered-Ms` (epoch ms)
say when the request came and when it was answered. Field names are those of the national medical-insurance interface.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, g, jsonify, request

from mock_partners.answers import Answer, answer_refusals
from mock_partners.double import REPLAYED, Double
from mock_partners.faults import Fault
from mock_partners.latency import Latency
from mock_partners.medical_insurance.cards import Cards, person_no
from mock_partners.medical_insurance.quota import Gate, Limit
from mock_partners.medical_insurance.refusal import Refusal, text
from mock_partners.medical_insurance.rule import yuan
from mock_partners.medical_insurance.settlements import Settlements
from mock_partners.medical_insurance.treatments import Input, Output, Treatments

TRIAL = "2206"
# Asked anew each time; the answer to any other message is kept and given again under its msgid.
NOT_KEPT = (TRIAL, "1101", "3201", "3202", "ZP02")
SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass
class InfnoFault(Fault):
    """A fault for one transaction number."""

    infno: str = ""

    def matches(self, method: str, path: str, body: str) -> bool:
        return super().matches(method, path, body) and _envelope(body).get("infno") == self.infno


class MedicalInsurance(Double):
    """The interface of `world["medical_insurance"]`; `business_date` (YYYY-MM-DD) stands in its statements."""

    def __init__(self, interface: Mapping[str, Any], *, business_date: str = "", state_dir: Path | None = None) -> None:
        super().__init__(interface["code"], state_dir=state_dir)
        self.business_date = business_date
        self.latency = Latency()
        self.slow: tuple[str, ...] = (TRIAL,)
        self.gate = Gate(self.table("arrivals"), Limit(interface["n"], interface["window_s"]))
        self.cards = Cards(self.table("cards"))
        self._answers = self.table("answers")
        self.treatments = Treatments(self.table("treatments"), self.table("visits"), self.cards)
        numbers = self.table("settlement_numbers")
        self.settlements = Settlements(self.table("settlements"), numbers, self.treatments, self.cards)
        self.app.after_request(_stamp_answer)
        answer_refusals(self.app)
        self._interface_route()
        self._control_routes()

    def fail_infno(self, infno: str, **how: Any) -> Fault:
        """Script a fault for a transaction number; see Fault."""
        fault = InfnoFault("/fsi/api", infno=infno, **how)
        with self.lock:
            self.faults.append(fault)
        return fault

    def _misbehave(self) -> Response | None:
        """Arrivals are counted before anything may go wrong with them; work done behind the caller's back is none."""
        g.received_ms = time.time_ns() // 1_000_000
        if request.path == "/fsi/api":
            g.envelope = _envelope(request.get_data(as_text=True))
            msgid = str(g.envelope.get("msgid", ""))
            if g.envelope.get("infno") == TRIAL and REPLAYED in request.environ:
                g.admitted = self.gate.was_accepted(msgid)
            elif g.envelope.get("infno") == TRIAL:
                arrival = self.gate.arrive(g.received_ms, msgid)
                g.received_ms, g.admitted = arrival["at_ms"], arrival["accepted"]
        return super()._misbehave()

    def _interface_route(self) -> None:
        @self.app.post("/fsi/api")
        def api() -> Response:
            envelope = g.envelope
            if envelope.get("infno") in self.slow and g.get("admitted", True):
                time.sleep(self.latency.next_s())
            try:
                output, code, message = self._answer(envelope), 0, ""
            except Refusal as refusal:
                output, code, message = {}, -1, refusal.message
            except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
                output, code, message = {}, -1, Refusal("INPUT").message
            return jsonify(
                infcode=code,
                inf_refmsgid=envelope.get("msgid", ""),
                respond_time=datetime.now(UTC).isoformat(timespec="milliseconds"),
                err_msg=message,
                output=output,
            )

    def _answer(self, envelope: Mapping[str, Any]) -> Output:
        infno, msgid, hospital = (text(envelope, name) for name in ("infno", "msgid", "fixmedins_code"))
        work = self._works().get(infno)
        if work is None:
            raise Refusal("INPUT")
        if infno == TRIAL and not g.admitted:
            raise Refusal("RATE")
        with self.lock:
            if msgid in self._answers:
                return dict(self._answers[msgid])
            output = work(envelope["input"], hospital)
            if infno not in NOT_KEPT:
                self._answers.put(msgid, output)
            return output

    def _works(self) -> dict[str, Callable[[Input, str], Output]]:
        treatments, settlements = self.treatments, self.settlements
        return {
            "1101": self._person,
            "2201": treatments.register,
            "2202": treatments.cancel,
            "2203": treatments.visit,
            "2204": treatments.upload,
            "2205": treatments.revoke,
            "2206": treatments.trial,
            "2207": lambda given, hospital: settlements.settle(given, hospital, g.envelope["msgid"], self._today()),
            "2208": settlements.reverse,
            "2601": lambda given, hospital: settlements.reverse_message(given),
            "3201": settlements.totals,
            "3202": settlements.details,
            "ZP01": lambda given, hospital: settlements.tell_cash(given),
            "ZP02": lambda given, hospital: settlements.find(given),
        }

    def _person(self, given: Input, hospital: str) -> Output:
        card = self.cards.person(given["data"])
        base = {"psn_no": person_no(card["card_no"]), "psn_name": card["name"], "certno": card["document_no"]}
        return {"baseinfo": base, "insuinfo": [{"balc": yuan(card["account_fen"]), "insutype": "310"}]}

    def _today(self) -> str:
        return self.business_date or self.clock.now().astimezone(SHANGHAI).date().isoformat()

    def _control_routes(self) -> None:
        app = self.app

        @app.get("/__mock__/arrivals")
        def arrivals() -> Response:
            return jsonify(self.gate.rows())

        @app.get("/__mock__/violations")
        def violations() -> Response:
            refused = [row for row in self.gate.rows() if not row["accepted"]]
            return jsonify(count=len(refused), rows=refused)

        @app.post("/__mock__/cards")
        def cards() -> Answer:
            with self.lock:
                for card in request.get_json():
                    self.cards.put(card)
            return jsonify(cards=len(request.get_json())), 201

        @app.post("/__mock__/faults/infno")
        def infno_fault() -> Answer:
            return jsonify(vars(self.fail_infno(**request.get_json()))), 201

        @app.post("/__mock__/settings")
        def settings() -> Response:
            return jsonify(self.behave(**request.get_json()))

    def behave(self, **changes: Any) -> dict[str, Any]:
        """Change n, window_s, latency, slow (transaction numbers that think), open_enrolment, business_date."""
        limit = self.gate.limit
        self.gate.limit = Limit(changes.get("n", limit.n), changes.get("window_s", limit.window_s))
        if "latency" in changes:
            self.latency = Latency(changes["latency"])
        self.slow = tuple(changes.get("slow", self.slow))
        self.cards.open_enrolment = bool(changes.get("open_enrolment", self.cards.open_enrolment))
        self.business_date = changes.get("business_date", self.business_date)
        return {**vars(self.gate.limit), "latency": self.latency.settings, "slow": self.slow}


def _envelope(body: str) -> dict[str, Any]:
    try:
        envelope = json.loads(body)
    except ValueError:
        return {}
    return envelope if isinstance(envelope, dict) else {}


def _stamp_answer(response: Response) -> Response:
    if "received_ms" in g:
        response.headers["X-Received-Ms"] = str(g.received_ms)
        response.headers["X-Answered-Ms"] = str(time.time_ns() // 1_000_000)
    return response
