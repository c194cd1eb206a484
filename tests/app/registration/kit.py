"""A line of booked patients, and what their hospital answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from app.appointment.models import Appointment, Slot
from app.appointment.rules import arrivals
from app.appointment.states import State, appointments
from app.core.ids import partner_number
from app.core.sequence import next_no
from app.registration import service
from tests.app.patients import House, Known

DONE = {"outcome": "done"}


@dataclass
class Line:
    house: House

    def booked(self, patient: Known, code: str = "H1", *, self_pay: bool = False) -> UUID:
        """An appointment that is booked, without the way there."""
        now = datetime.now(UTC)
        with self.house.runtime.work() as work:
            slot = Slot(hospital_id=self.house.hospital_id(code), key=uuid4().hex, version=1, department_code="01",
                        doctor_code="D1", starts_at=now + timedelta(days=1), ends_at=now + timedelta(days=2),
                        allotment=1, capacity=1, taken=1, fee_fen=0, stopped=False)  # fmt: skip
            work.add(slot)
            work.session.flush()
            row = Appointment(no=partner_number("ap"), hospital_id=slot.hospital_id, slot_id=slot.id,
                              account_id=patient.account_id, person_id=patient.person_id, fee_fen=0,
                              self_pay=self_pay)  # fmt: skip
            appointments.start(work, row, State.BOOKED)
            row.arrival_no = next_no(work.session, arrivals(slot.hospital_id))
        return row.id

    def enter(self, count: int, code: str = "H1") -> list[Known]:
        """So many patients enter the line, in this order."""
        patients = [self.house.known(code) for _ in range(count)]
        self.let_in(*patients, code=code)
        return patients

    def let_in(self, *patients: Known, code: str = "H1", self_pay: bool = False) -> None:
        """Each books and enters the line."""
        booked = [self.booked(patient, code, self_pay=self_pay) for patient in patients]
        with self.house.runtime.work() as work:
            service.enter(work, booked)

    def sweep(self) -> None:
        with self.house.runtime.work() as work:
            work.later("registration.sweep", None)
        self.house.drain_all("registration.sweep")

    def poll(self, code: str = "H1") -> None:
        self.house.drain_all("registration.poll")

    def row(self, patient: Known) -> Any:
        query = "SELECT * FROM registration WHERE person_id = :id ORDER BY id DESC LIMIT 1"
        return self.house.rows(query, id=patient.person_id)[0]

    def statuses(self, patients: list[Known]) -> list[str]:
        return [self.row(patient).status for patient in patients]

    def answer(self, decide: Any = None, code: str = "H1") -> list[str]:
        """The hospital answers what it was asked; the document numbers in the order in which it was asked."""

        def how(command: dict[str, Any]) -> Any:
            said = decide(command) if decide is not None else dict(DONE)
            if said is not None and said["outcome"] == "done":
                said = {"body": {"patient_no": "P" + command["body"]["registration_no"][2:10]}} | said
            return said

        asked = self.house.answer("registration", how, code)
        self.house.drain_all("registration.answered")
        return [command["body"]["document_no"] for command in asked]

    def rest_is_over(self) -> None:
        """Whoever rests may be tried again now."""
        self.house.rows("UPDATE registration SET not_before = now() WHERE not_before IS NOT NULL")
        self.house.rows("UPDATE task SET run_at = now() WHERE kind = 'registration.poll' AND status = 'due'")

    def shown(self, patient: Known) -> Any:
        (item,) = patient.get(f"/registrations?person_id={patient.person_id}").get_json()["items"]
        return item
