"""A hospital that pushes bills with their fee lines as its agent does: signed, compressed, numbered batches."""

from __future__ import annotations

import gzip
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flask import Flask
from flask.testing import FlaskClient
from standardwebhooks import Webhook

from app.core.work import Runtime
from app.factory import create_app
from app.wiring import make_gateways
from bench import newcomers
from hospital_agent.batch import Batch, Row, line_of
from hospital_agent.canonical import canonical, sha256_hex

LINES_OF_A_BILL, LINES_OF_AN_ORDER = 50, 5
AT = "2026-11-21T01:00:00Z"


@dataclass(frozen=True)
class Message:
    """Signed, and ready to be sent."""

    headers: dict[str, str]
    body: bytes


def web(runtime: Runtime) -> Flask:
    """The product's web application in this process."""
    return create_app(runtime, make_gateways(runtime.settings))


class Hospital:
    """One hospital's agent, and the web application that it speaks to."""

    def __init__(self, client: FlaskClient, agent: str) -> None:
        self._client, self._agent = client, agent
        self._webhook = Webhook(newcomers.AGENT_SECRET)
        self._batch_no = 0

    def prepare(self, count: int, batch: int) -> tuple[list[Message], list[Message]]:
        """A visit and the bills that `count` fee lines hang on, and the lines: messages, ready to be sent."""
        bills = [_bill(number) for number in range(count // LINES_OF_A_BILL)]
        parents = [
            self._message([_visit(), *bills[first : first + batch - 1]]) for first in range(0, len(bills), batch - 1)
        ]
        rows = [_line(number) for number in range(count)]
        return parents, [self._message(rows[first : first + batch]) for first in range(0, count, batch)]

    def push(self, message: Message) -> None:
        answer = self._client.post("/exchange/v1/batches", data=message.body, headers=message.headers)
        if answer.status_code != 202:
            raise SystemExit(f"the exchange answers {answer.status_code}")

    def _message(self, rows: list[Row]) -> Message:
        self._batch_no += 1
        lines = [line_of(row, canonical(row.data), 1) for row in rows]
        text = f"[{','.join(line.text for line in lines)}]"
        amount_fen = sum(line.amount_fen for line in lines)
        body = Batch(self._batch_no, "", "record", "2026-11-21", len(rows), amount_fen, sha256_hex(text), text).body()
        message_id, at = f"msg_{uuid.uuid4().hex}", datetime.now(UTC)
        headers = {
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
            "Zhipei-Partner": self._agent,
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": self._webhook.sign(message_id, at, body),
        }
        return Message(headers, gzip.compress(body.encode(), compresslevel=5, mtime=0))


def _visit() -> Row:
    data = {"patient_no": "P1", "kind": "outpatient", "department_name": "内科", "started_at": AT}
    return Row("visit", "V1", data)


def _bill(number: int) -> Row:
    total_fen = 2 * sum(_price_fen(place) for place in range(LINES_OF_A_BILL))
    data = {
        "visit_key": "V1",
        "patient_no": "P1",
        "bill_no": f"N{number:09d}",
        "total_fen": total_fen,
        "fund_fen": 0,
        "account_fen": 0,
        "self_pay_fen": total_fen,
        "status": "settled",
        "billed_on": "2026-11-21",
        "settled_at": AT,
    }
    return Row("bill", f"B{number:09d}", data)


def _line(number: int) -> Row:
    bill, place = divmod(number, LINES_OF_A_BILL)
    at = datetime(2026, 11, 21, 1, tzinfo=UTC) + timedelta(seconds=number // LINES_OF_AN_ORDER)
    data = {
        "bill_key": f"B{bill:09d}",
        "line_no": place + 1,
        "category": "drug",
        "code": f"YP{place:05d}",
        "code_system": "hospital",
        "code_edition": "2026",
        "name": f"阿莫西林胶囊 0.25g×{place}粒",
        "insurance_code": f"XJ01CAA040E{place:09d}",
        "unit_price": f"{_price_fen(place) / 100:.4f}",
        "quantity": "2.00",
        "amount_fen": 2 * _price_fen(place),
        "insurance_class": "甲",
        "at": at.isoformat(),
    }
    return Row("fee_line", f"L{number:012d}", data)


def _price_fen(place: int) -> int:
    return 1234 + 7 * place
