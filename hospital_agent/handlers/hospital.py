"""Commands to a hospital's agent: the hospital's own interface is asked, or the agent's own store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hospital_agent.commands import Call, Handler
from hospital_agent.errors import Refused
from hospital_agent.his import HisClient
from hospital_agent.source.pull import PatientLane
from hospital_agent.store.registry import Clearing, Clearings, Ties

Verify = Callable[[Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True)
class Hospital:
    """What the handlers stand on. `wait_sent` returns when the exchange has all batches up to now."""

    his: HisClient
    lane: PatientLane
    ties: Ties
    clearings: Clearings
    verify: Verify
    wait_sent: Callable[[Sequence[int]], None]

    def handlers(self) -> dict[str, Handler]:
        return {
            "verify_identity": self.verify_identity,
            "tie_account": self.tie_account,
            "tie_accounts": self.tie_accounts,
            "untie_account": self.untie_account,
            "list_ties": self.list_ties,
            "confirm_appointment": self.confirm_appointment,
            "cancel_appointment": self.cancel_appointment,
            "register": self.register,
            "pull_patient": self.pull_patient,
            "pull_patients": self.pull_patients,
            "settlement_notice": self.settlement_notice,
            "settlement_reversed": self.settlement_reversed,
            "clearing": self.clearing,
        }

    def verify_identity(self, call: Call) -> Mapping[str, Any]:
        return {"patient_no": self.verify(call.command.body).get("patient_no")}

    def tie_account(self, call: Call) -> Mapping[str, Any]:
        if not self.ties.tie(call["account_ref"], call["patient_no"]):
            raise Refused("tie_revoked", "医院已解除该绑定")
        return {}

    def tie_accounts(self, call: Call) -> Mapping[str, Any]:
        """Of many patients at once. What the hospital has revoked stays so, and the nightly list says it."""
        self.ties.tie_all([(one["account_ref"], one["patient_no"]) for one in call["ties"]])
        return {}

    def untie_account(self, call: Call) -> Mapping[str, Any]:
        self.ties.untie(call["account_ref"], call["patient_no"])
        return {}

    def list_ties(self, call: Call) -> Mapping[str, Any]:
        return {"ties": self.ties.list(), "revoked": self.ties.revoked()}

    def confirm_appointment(self, call: Call) -> Mapping[str, Any]:
        self.his.post("/appointments", call.command.body)
        return {}

    def cancel_appointment(self, call: Call) -> Mapping[str, Any]:
        self.his.delete("appointments", call["appointment_no"])
        return {}

    def register(self, call: Call) -> Mapping[str, Any]:
        answer = self.his.post("/registrations", call.command.body, call.sent)
        return {"patient_no": answer["patient_no"]}

    def pull_patient(self, call: Call) -> Mapping[str, Any]:
        """`complete` is false where the patient has more rows than a pull may read; they follow in idle time."""
        pulled = self.lane.patient(call["patient_no"])
        self.wait_sent(pulled.batch_nos)
        return {"batch_nos": pulled.batch_nos, "complete": pulled.complete}

    def pull_patients(self, call: Call) -> Mapping[str, Any]:
        """Patients who are not waiting for it: one after the other, so that one who is waiting comes in between.
        `incomplete` are those of whom more follows in idle time."""
        pulled = {patient_no: self.lane.patient(patient_no) for patient_no in call["patient_nos"]}
        batch_nos = [batch_no for one in pulled.values() for batch_no in one.batch_nos]
        self.wait_sent(batch_nos)
        return {"batch_nos": batch_nos, "incomplete": [no for no, one in pulled.items() if not one.complete]}

    def settlement_notice(self, call: Call) -> Mapping[str, Any]:
        """The hospital marks the bill and issues the e-bill; both are in the spool before this is answered."""
        self.his.post("/settlements", call.command.body)
        self.lane.bill(call["bill_key"])
        return {}

    def settlement_reversed(self, call: Call) -> Mapping[str, Any]:
        self.his.delete("settlements", call["settlement_no"])
        self.lane.bill(call["bill_key"])
        return {}

    def clearing(self, call: Call) -> Mapping[str, Any]:
        self.clearings.put(
            Clearing(
                clearing_no=call["clearing_no"],
                kind=call["kind"],
                original_clearing_no=call["original_clearing_no"],
                bill_key=call["bill_key"],
                business_date=call["business_date"],
            )
        )
        return {}
