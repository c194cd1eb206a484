"""The hospital's HTTP side: the registration interface that its agent calls, and the day's controls."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
from flask import Response, jsonify, request

from mock_partners import books
from mock_partners.double import Double
from mock_partners.his import alteration
from mock_partners.his.builtin_records import BuiltinRecords
from mock_partners.his.cashier import Cashier
from mock_partners.his.desk import Desk
from mock_partners.his.records import Records, Refused
from mock_partners.his.synthea_records import SyntheaRecords

RECORDS: dict[str, type[Records]] = {"builtin": BuiltinRecords, "synthea": SyntheaRecords}
Reply = tuple[Response, int]

_TEXT, _INT, _DATE, _TIME = "text", "int", "date", "time"
_PERSON = {
    "name": _TEXT,
    "document_type": _TEXT,
    "document_no": _TEXT,
    "phone": _TEXT,
    "birth_date": _DATE,
    "sex": _TEXT,
}
SHAPES: dict[str, dict[str, str]] = {
    "verify": _PERSON,
    "register": {"registration_no": _TEXT, **_PERSON},
    "appoint": dict.fromkeys(("appointment_no", "slot_key", "name", "document_no", "phone"), _TEXT),
    "settle": {
        "settlement_no": _TEXT,
        "bill_key": _TEXT,
        "fund_fen": _INT,
        "account_fen": _INT,
        "self_pay_fen": _INT,
        "paid_at": _TIME,
    },
    "pay_in_cash": {"bill_key": _TEXT},
    "reverse_e_bill": {"bill_key": _TEXT},
    "alter": {"business_date": _DATE},
}


class His(Double):
    """One hospital: code (H1), database URL with its search path, dialect (builtin or synthea), seed of its visits."""

    in_order = True

    def __init__(
        self, code: str, database_url: str, dialect: str, *, seed: str = "1", state_dir: Path | None = None
    ) -> None:
        super().__init__(f"his-{code}", state_dir=state_dir)
        self.records = RECORDS[dialect](database_url)
        self.desk = Desk(self.records, f"{seed}:{code}")
        self.cashier = Cashier(self.records)
        self.app.register_error_handler(Refused, _refused)
        self.app.register_error_handler(psycopg.Error, _unavailable)
        self.app.register_error_handler(psycopg.IntegrityError, _unknown)
        self._interface_routes()
        self._control_routes()

    def stop(self) -> None:
        super().stop()
        self.records.close()

    def _interface_routes(self) -> None:
        app, desk, cashier = self.app, self.desk, self.cashier

        @app.post("/patients/verify")
        def verify() -> Response:
            return jsonify(desk.verify(_body("verify")))

        @app.post("/registrations")
        def register() -> Response:
            return jsonify(desk.register(_body("register")))

        @app.post("/appointments")
        def appoint() -> Response:
            desk.appoint(_body("appoint"))
            return jsonify({})

        @app.delete("/appointments/<number>")
        def cancel_appointment(number: str) -> Response:
            desk.cancel_appointment(number)
            return jsonify({})

        @app.post("/settlements")
        def settle() -> Response:
            cashier.settle(_body("settle"))
            return jsonify({})

        @app.delete("/settlements/<number>")
        def reverse_settlement(number: str) -> Response:
            cashier.reverse_settlement(number)
            return jsonify({})

    def _control_routes(self) -> None:
        app, desk, cashier = self.app, self.desk, self.cashier

        @app.post("/__mock__/attend")
        def attend() -> Response:
            body = _body("")
            if not body.get("appointment_no") and not (body.get("patient_no") and (body.get("on") or body.get("at"))):
                raise Refused("body_invalid", "缺少 appointment_no，或 patient_no 与日期", 422)
            return jsonify(desk.attend(body))

        @app.post("/__mock__/pay_in_cash")
        def pay_in_cash() -> Response:
            cashier.pay_in_cash(_body("pay_in_cash")["bill_key"], datetime.now(UTC))
            return jsonify({})

        @app.post("/__mock__/reverse_e_bill")
        def reverse_e_bill() -> Response:
            return jsonify(reversed=cashier.reverse_e_bill(_body("reverse_e_bill")["bill_key"]))

        @app.post("/__mock__/alter")
        def alter() -> Response:
            try:
                return jsonify(alteration.alter(self.records, _body("alter")))
            except books.BadInstruction as problem:
                raise Refused("bad_instruction", str(problem), 422) from problem

        @app.get("/__mock__/altered")
        def altered() -> Response:
            return jsonify(alteration.altered(self.records))

        @app.get("/__mock__/people")
        def people() -> Response:
            return jsonify(desk.people())

        @app.get("/__mock__/registrations")
        def registrations() -> Response:
            return jsonify(desk.arrivals())


def _body(shape: str) -> dict[str, Any]:
    """The request's JSON object with the fields that the call needs, of the right types. Raises Refused."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Refused("body_invalid", "请求不是 JSON 对象", 422)
    for name, kind in SHAPES.get(shape, {}).items():
        if not _is(kind, body.get(name)):
            raise Refused("body_invalid", f"字段缺失或不正确：{name}", 422)
    return body


def _is(kind: str, value: Any) -> bool:
    if kind == _INT:
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if not isinstance(value, str) or not value or "\x00" in value:
        return False
    try:
        if kind == _DATE:
            date.fromisoformat(value)
        if kind == _TIME:
            return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False
    return True


def _refused(problem: Refused) -> Reply:
    return jsonify(code=problem.code, message=problem.message), problem.status


def _unavailable(_: psycopg.Error) -> Reply:
    return jsonify(code="his_unavailable", message="医院系统暂时不可用"), 503


def _unknown(_: psycopg.IntegrityError) -> Reply:
    return jsonify(code="unknown_reference", message="引用的信息在医院系统中不存在"), 422
