"""A night in a test: three parties' own books, insurers that serve theirs over HTTP, agents that push theirs."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from flask.testing import FlaskClient
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from app.claim.models.claims import ClaimBill
from app.core.ids import clearing_number
from app.core.work import Runtime
from app.exchange.models import Party
from app.reconciliation import queries, service
from app.reconciliation.models import Difference
from mock_partners import books
from mock_partners.insurer.server import Insurer
from tests.app.kit import DrainAll
from tests.app.operators import operator
from tests.app.partner import World, batch

DAY = date(2026, 11, 20)
NEXT_DAY = date(2026, 11, 21)
COMPARISON = tuple(f"reconciliation.{step}" for step in ("compare", "compare_part", "finish"))
UP_TO_THE_REPORT = (*(f"reconciliation.{step}" for step in ("fetch", "ask", "take_batch", "answered")), *COMPARISON)
Row = dict[str, Any]


def number(ordinal: int, day: date = DAY) -> str:
    return clearing_number(day, ordinal)


@dataclass
class Night:
    """`hospitals[code][day]` is the book of a hospital: number -> {amount_fen, status, …}; `insurers[code]` a double
    whose book is `ledger`; the platform's book stands in the database. The agents of the hospitals in `totals` know of
    totals, and say of theirs what stands there instead of the truth."""

    runtime: Runtime
    client: FlaskClient
    drain_all: DrainAll
    world: World
    insurers: dict[str, Insurer]
    hospitals: dict[str, dict[date, dict[str, Row]]] = field(default_factory=lambda: {"H1": {}, "H2": {}})
    batch_nos: dict[str, int] = field(default_factory=lambda: {"H1": 0, "H2": 0})
    totals: dict[str, dict[str, Any]] = field(default_factory=dict)

    def book(
        self, ordinals: range, hospital: str = "H1", insurer: str = "I1", *, day: date = DAY, at: str = "HPI"
    ) -> list[str]:
        """Rows of 100 fen times the ordinal, in the books of those parties whose letters are in `at`."""
        numbers = [number(ordinal, day) for ordinal in ordinals]
        for ordinal, one in zip(ordinals, numbers, strict=True):
            if "H" in at:
                self.hospital_row(hospital, one, ordinal * 100, day=day)
            if "I" in at:
                self.insurer_row(insurer, one, ordinal * 100)
        if "P" in at:
            self.platform_rows(dict(zip(numbers, ordinals, strict=True)), hospital, insurer, day)
        return numbers

    def hospital_row(
        self, code: str, clearing_no: str, amount_fen: int, status: str = "settled", *, day: date = DAY
    ) -> None:
        row = {"clearing_no": clearing_no, "kind": "pay", "amount_fen": amount_fen, "status": status}
        self.hospitals[code].setdefault(day, {})[clearing_no] = row

    def insurer_row(self, code: str, clearing_no: str, amount_fen: int) -> None:
        bill = {"clearing_no": clearing_no, "lines": [{"amount_fen": amount_fen}], "fund_fen": 0}
        self.insurers[code].book.ledger.book([bill], "CL1", "2026-11-20T12:00:00+08:00")

    def alter_insurer(self, code: str, clearing_no: str, **values: Any) -> None:
        rows = self.insurers[code].book.ledger._rows
        rows.put(clearing_no, {**rows[clearing_no], **values})

    def drop_insurer(self, code: str, clearing_no: str) -> None:
        del self.insurers[code].book.ledger._rows[clearing_no]

    def platform_rows(self, ordinals: dict[str, int], hospital: str, insurer: str, day: date = DAY) -> None:
        """Clearing rows alone: what they hang on is not looked at here, so foreign keys are switched off."""
        with self.runtime.work() as work:
            work.session.execute(text("SET LOCAL session_replication_role = replica"))
            for clearing_no, ordinal in ordinals.items():
                work.add(self._clearing_row(clearing_no, ordinal, hospital, insurer, day, work.now))

    def _clearing_row(
        self, clearing_no: str, ordinal: int, hospital: str, insurer: str, day: date, now: Any
    ) -> ClaimBill:
        return ClaimBill(
            clearing_no=clearing_no,
            business_date=day,
            ordinal=ordinal,
            kind="pay",
            claim_id=uuid.uuid4(),
            bill_id=uuid.uuid4(),
            hospital_id=self.world.party[hospital],
            insurer_id=self.world.party[insurer],
            borne_fen=ordinal * 100,
            lost_fen=0,
            payable_fen=0,
            live=True,
            booked_at=now,
        )

    def start(self, day: date = DAY, **wanted: Any) -> UUID:
        with self.runtime.work() as work:
            return service.start(work, service.Wanted(day, "test", **wanted)).id

    def serve(self, *codes: str) -> None:
        """The agents of these hospitals (all, without any) push their book and answer."""
        for code in codes or ("H1", "H2"):
            agent = self.world.partner[code]
            for command in agent.poll(lanes=["ledger"]):
                day = date.fromisoformat(command["body"]["business_date"])
                by_totals = code in self.totals and command["body"].get("totals")
                agent.answer(command["id"], self.add_up(code, day) if by_totals else self.push(code, day))

    def offer_totals(self, *codes: str) -> None:
        """These parties, and their programs, offer totals from now on."""
        with self.runtime.work() as work:
            for party in work.session.scalars(select(Party).where(Party.code.in_(codes))):
                party.config = {**party.config, "ledger_totals": True}
        for code in codes:
            if code in self.insurers:
                self.insurers[code].book.settings.ledger_totals = True
            else:
                self.totals[code] = {}

    def add_up(self, code: str, day: date = DAY) -> dict[str, Any]:
        """The totals of a hospital's book as its agent answers them."""
        return books.totals(self.hospitals[code].get(day, {}).values()) | {"bad": 0} | self.totals[code]

    def push(self, code: str, day: date = DAY) -> dict[str, Any]:
        """Push a hospital's book; the body of the agent's answer."""
        book = self.hospitals[code].get(day, {})
        rows = [{"type": "ledger", "key": key, "version": 1, "data": row} for key, row in book.items()]
        self.batch_nos[code] += 1
        sent = batch(self.batch_nos[code], "ledger", rows, business_date=day.isoformat())
        self.world.partner[code].ok("/batches", sent)
        return {name: sent[name] for name in ("batch_no", "count", "amount_fen")} | {"bad": 0}

    def run(self, day: date = DAY, *, report: bool = False, **wanted: Any) -> dict[str, Any]:
        """A whole night, its reports only if asked for; what the API shows of it."""
        run_id = self.start(day, **wanted)
        self.serve()
        self.drain_all(*(() if report else UP_TO_THE_REPORT))
        return self.seen(run_id)

    def seen(self, run_id: UUID, **who: Any) -> dict[str, Any]:
        answer = self.client.get(f"/api/v1/operator/reconciliation/runs/{run_id}", headers=self.operator(**who))
        assert answer.status_code == 200, answer.get_json()
        found: dict[str, Any] = answer.get_json()
        return found

    def post(self, path: str, body: Any = None, *, headers: dict[str, str] | None = None) -> TestResponse:
        headers = (headers or self.operator()) | {"Idempotency-Key": uuid.uuid4().hex}
        return self.client.post(f"/api/v1/operator/reconciliation{path}", json=body or {}, headers=headers)

    def get(self, path: str, *, headers: dict[str, str] | None = None) -> TestResponse:
        return self.client.get(f"/api/v1/operator/reconciliation{path}", headers=headers or self.operator())

    def operator(self, *, role: str = "finance", party: str | None = None) -> dict[str, str]:
        """The headers of a new operator who is logged in."""
        return operator(self.runtime, role, self.world.party[party] if party else None)

    @staticmethod
    def as_id(text: str) -> UUID:
        return UUID(text)

    def differences(self, day: date = DAY) -> dict[tuple[str, str], Difference]:
        with self.runtime.read() as session:
            return {(row.kind, row.key): row for row in queries.differences_of_day(session, day)}
