"""People who arrive: booked appointments from which registrations follow, written down or asked for over HTTP."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx

from app.appointment.models import Slot
from app.appointment.rules import arrivals
from app.appointment.states import State, appointments
from app.core.ids import new_id, partner_number
from app.core.sequence import next_no
from app.core.work import Runtime
from app.identity.login import service as login
from app.identity.login.service import WechatUser
from bench import newcomers
from bench.newcomers import Newcomer
from bench.patients import APP

SLOT = "bench"  # the key of a slot that never fills up


@dataclass
class Arrivals:
    """New people each time. `slot_id` is a slot without an end. `accepted`: the persons whose bookings were written
    down here, in the order of their acceptance."""

    runtime: Runtime
    hospital_id: UUID
    slot_id: UUID = field(default_factory=new_id)
    count: int = 0
    accepted: list[UUID] = field(default_factory=list)

    def open_slot(self) -> None:
        now = datetime.now(UTC)
        with self.runtime.work() as work:
            slot = Slot(hospital_id=self.hospital_id, key=SLOT, version=1, department_code="01",
                        doctor_code="D1", starts_at=now + timedelta(days=1), ends_at=now + timedelta(days=2),
                        allotment=10**6, capacity=10**6, taken=0, fee_fen=0, stopped=False)  # fmt: skip
            slot.id = self.slot_id
            work.add(slot)

    def people(self, count: int) -> list[Newcomer]:
        found = newcomers.people(self.runtime, self.hospital_id, count, first=self.count)
        self.count += count
        return found

    def book(self, patients: list[Newcomer]) -> None:
        """Their appointments are booked, in one transaction; what follows is the workers' business."""
        rows = [
            {
                "id": new_id(),
                "no": partner_number("ap"),
                "hospital_id": self.hospital_id,
                "slot_id": self.slot_id,
                "account_id": one.account_id,
                "person_id": one.person_id,
                "fee_fen": 0,
                "tries": 0,
            }
            for one in patients
        ]
        with self.runtime.work() as work:
            first = next_no(work.session, arrivals(self.hospital_id), len(rows))
            placed = [row | {"arrival_no": place} for place, row in enumerate(rows, first)]
            appointments.start_many(work, placed, State.BOOKED)
            for row in rows:
                work.emit("appointment.booked", row["id"])  # type: ignore[arg-type]
        self.accepted += [one.person_id for one in patients]

    def logged_in(self) -> tuple[Newcomer, str]:
        """One more patient, with a token."""
        (patient,) = self.people(1)
        openid = f"bench-{self.count - 1}"
        with self.runtime.work() as work:
            tokens = login.log_in(work, WechatUser(APP.app_id, openid, None))
        return patient, tokens.access_token

    def submit(self, web_url: str, *, patience_s: float = 30.0) -> float:
        """Book over HTTP under one key, again where nobody answers; seconds of the try that was accepted."""
        patient, token = self.logged_in()
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": uuid.uuid4().hex}
        body = {"slot_id": str(self.slot_id), "person_id": str(patient.person_id)}
        url, end = f"{web_url}/api/v1/appointments", time.monotonic() + patience_s
        while True:
            start = time.monotonic()
            try:
                answer = httpx.post(url, json=body, headers=headers, timeout=10, trust_env=False)
                if answer.status_code == 201:
                    return time.monotonic() - start
                said = f"{answer.status_code} {answer.text[:200]}"
            except httpx.HTTPError as error:
                said = type(error).__name__
            if time.monotonic() > end:
                raise SystemExit(f"a booking was not accepted: {said}")
            time.sleep(0.2)
