from __future__ import annotations

import itertools

from app.appointment.models import Appointment
from app.appointment.states import State, appointments
from app.appointment.waiting.models import WaitingEntry
from app.appointment.waiting.states import WaitingState, waiting_entries
from app.core.errors import LostRace
from app.core.ids import partner_number
from tests.app.appointment.kit import Desk

MOVES = {
    ("waiting", "offer"): "offered",
    ("waiting", "leave"): "left",
    ("waiting", "close"): "closed",
    ("offered", "accept"): "taken",
    ("offered", "leave"): "left",
    ("offered", "lapse"): "lapsed",
    ("offered", "close"): "closed",
    ("offered", "withdraw"): "waiting",
    ("taken", "return"): "waiting",
}


def test_every_pair_of_state_and_event(desk: Desk) -> None:
    slot_id, patient = desk.slot(), desk.house.known()
    about = {"hospital_id": desk.house.hospital_id(), "account_id": patient.account_id, "person_id": patient.person_id}
    with desk.house.runtime.work() as work:
        made = Appointment(no=partner_number("ap"), slot_id=slot_id, fee_fen=0, **about)
        appointments.start(work, made, State.PENDING)
        work.session.flush()
        offer = {"offered_slot_id": slot_id, "offer_until": work.now}
        for state, event in itertools.product(WaitingState, sorted(waiting_entries.events)):
            taken = made.id if state == WaitingState.TAKEN else None
            row = WaitingEntry(slot_id=slot_id, self_pay=False, appointment_id=taken, **offer, **about)
            waiting_entries.start(work, row, state)
            work.session.flush()
            link = {"accept": made.id, "return": None}
            values = {"appointment_id": link[event]} if event in link else {}
            try:
                (moved,) = waiting_entries.move(work, [row.id], event, values=values)
                assert moved.new == MOVES.get((state.value, event)), (state, event)
            except LostRace:
                assert (state.value, event) not in MOVES
            work.session.delete(row)
            work.session.flush()
