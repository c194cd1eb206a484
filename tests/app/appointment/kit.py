"""A clinic with slots, and what its hospital answers."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from werkzeug.test import TestResponse

from tests.app.patients import House, Known, department, doctor, slot

_keys = itertools.count(1)


@dataclass
class Desk:
    house: House

    def slot(self, code: str = "H1", **how: Any) -> UUID:
        """A slot of its own department, so that other tests' slots are not nearby."""
        number = next(_keys)
        how = {"department_code": f"dep{number}"} | how
        key = f"slot-{number}"
        rows = [department(how["department_code"]), doctor("D1", how["department_code"]), slot(key, **how)]
        assert self.house.apply(rows, "catalogue", code)[-1] == ("applied", None)
        found: UUID = self.house.value("SELECT id FROM slot WHERE key = :key", key=key)
        return found

    def change(self, slot_id: UUID, version: int, **more: Any) -> Any:
        (row,) = self.house.rows("SELECT * FROM slot WHERE id = :id", id=slot_id)
        kept = {
            "department_code": row.department_code,
            "starts_at": row.starts_at.isoformat(),
            "ends_at": row.ends_at.isoformat(),
            "fee_fen": row.fee_fen,
        }
        return self.house.apply([slot(row.key, version=version, **kept | more)], "catalogue")

    def ask(self, patient: Known, slot_id: UUID) -> TestResponse:
        body = {"person_id": str(patient.person_id), "slot_id": str(slot_id)}
        return patient.post("/appointments", body)

    def book(self, patient: Known, slot_id: UUID) -> Any:
        answer = self.ask(patient, slot_id)
        assert answer.status_code == 201, answer.get_json()
        return answer.get_json()

    def confirm(self, at: str = "H1", **how: Any) -> list[str]:
        """The hospital answers what waits in its lane; kinds of command that it found."""
        asked = self.house.answer("booking", lambda command: dict(how or {"outcome": "done"}), at)
        self.house.drain_all("appointment.confirmed")
        return [command["kind"] for command in asked]

    def booked(self, patient: Known, slot_id: UUID) -> Any:
        row = self.book(patient, slot_id)
        self.confirm()
        return self.read(patient, row)

    def read(self, patient: Known, row: Any) -> Any:
        return patient.get(f"/appointments/{row['id']}").get_json()

    def left(self, slot_id: UUID) -> tuple[int, int]:
        (row,) = self.house.rows("SELECT taken, capacity FROM slot WHERE id = :id", id=slot_id)
        return row.taken, row.capacity

    def pay(self, patient: Known, row: Any) -> None:
        """The fee of an appointment: placed, paid, told."""
        self.house.drain_all("payment.prepay")
        shown = patient.get(f"/payments/{row['payment_id']}").get_json()
        prepay_id = shown["jsapi"]["package"].removeprefix("prepay_id=")
        self.house.wechat.cashier.pay(patient.user, prepay_id)
        self.house.until(
            lambda: self.house.value("SELECT count(*) FROM task WHERE kind = 'payment.apply_notification'")
        )
        self.house.drain_all("payment.apply_notification", "appointment.fee_paid")

    def notices(self, row: Any) -> list[str]:
        found = self.house.rows("SELECT template FROM notice WHERE subject = :id ORDER BY id", id=row["id"])
        return [one.template for one in found]

    def full(self, **how: Any) -> tuple[UUID, Known, Any]:
        """A slot of one place, and who has booked it."""
        slot_id, holder = self.slot(**{"capacity": 1} | how), self.house.known()
        return slot_id, holder, self.booked(holder, slot_id) if not how.get("fee_fen") else self.book(holder, slot_id)

    def wait(self, patient: Known, slot_id: UUID | None = None, **more: Any) -> TestResponse:
        wanted = {"slot_id": str(slot_id)} if slot_id else {}
        return patient.post("/waiting-entries", {"person_id": str(patient.person_id), **wanted, **more})

    def waits(self, patient: Known, slot_id: UUID | None = None, **more: Any) -> Any:
        answer = self.wait(patient, slot_id, **more)
        assert answer.status_code == 201, answer.get_json()
        return answer.get_json()

    def entry(self, patient: Known, row: Any) -> Any:
        return patient.get(f"/waiting-entries/{row['id']}").get_json()

    def statuses(self, *pairs: tuple[Known, Any]) -> list[str]:
        return [self.entry(patient, row)["status"] for patient, row in pairs]

    def accept(self, patient: Known, row: Any) -> TestResponse:
        return patient.post(f"/waiting-entries/{row['id']}/accept")

    def leave(self, patient: Known, row: Any) -> TestResponse:
        return patient.post(f"/waiting-entries/{row['id']}/leave")

    def cancel(self, patient: Known, row: Any) -> None:
        answer = patient.post(f"/appointments/{row['id']}/cancel")
        assert answer.status_code == 200, answer.get_json()

    def pass_time(self, entry: Any) -> None:
        """The time of an offer is over."""
        self.house.rows("UPDATE waiting_entry SET offer_until = now() WHERE id = :id", id=entry["id"])
        self.house.drain_all("appointment.offer_lapse", hurry=True)
