"""The platform, the agent's own handlers and the interface's double, which refuses whatever comes twice: lost answers,
late commits and killed agents, and in the end the fund has paid exactly where the patient has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hospital_agent.commands import Call, Desk, work_on
from hospital_agent.fsi import FsiClient
from hospital_agent.handlers.medical_insurance import MedicalInsurance
from hospital_agent.sections import NetworkConfig
from hospital_agent.store.commands import Command, Inbox
from hospital_agent.store.db import Store
from hospital_agent.store.registry import Memo
from mock_partners.medical_insurance.server import MedicalInsurance as Interface
from tests.app.settlement.kit import ask, pay
from tests.app.town import Insured, Town

NEXT = ("settlement.ask", "settlement.query", "settlement.reverse", "settlement.tell", "settlement.tell_reversed")
REFUSED = {"infcode": -1, "err_msg": "SETTLED 已结算或已冲销"}
FAULTS: dict[str, dict[str, Any]] = {
    "answer lost": {"drop": "after"},
    "never arrived": {"drop": "before"},
    "late": {"status": 504, "late": True, "delay_s": 0.3},
    "refused and done": {"status": 200, "body": REFUSED, "late": True},
    "refused": {"status": 200, "body": REFUSED},
    "killed": {},
}


@dataclass
class Network:
    """M1's agent on its store, and the interface."""

    town: Town
    interface: Interface
    inbox: Inbox
    handlers: MedicalInsurance

    def live(self, *, killed_in: str = "") -> None:
        """The agent works on what there is for it. It may be killed in a command, when the request has been sent; then
        it starts anew."""
        handlers = self.handlers.handlers()
        fetched = [
            Command(one["id"], one["kind"], one["lane"], one["seq"], one["body"])
            for one in self.town.commands("M1", "trial", "settlement")
        ]
        for command in self.inbox.take(fetched):
            answer = work_on(Call(command, lambda: None), handlers)
            if command.kind != killed_in:
                self.inbox.answer(answer)
        Desk(self.inbox, handlers, {"": 1}).resume()
        for said in self.inbox.undelivered():
            self.town.agent("M1").answer(said.pop("id"), said.pop("body"), **said)
        self.inbox.delivered([said["id"] for said in self.inbox.undelivered()])
        self.town.drain_all()

    def settle_down(self, hospital: dict[str, Any]) -> None:
        """Everybody works until nothing is to be done; the hospital answers every notice so."""
        for _ in range(8):
            self.live()
            for one in self.town.commands("H1", "settlement"):
                said = hospital if one["kind"] == "settlement_notice" else {}
                self.town.agent("H1").answer(one["id"], {}, **said)
            self.town.drain_all()
            self.town.drain_all(*NEXT, hurry=True)

    def sent(self, infno: str) -> list[dict[str, Any]]:
        bodies = [json.loads(entry["body"]) for entry in self.interface.journal if entry["path"] == "/fsi/api"]
        return [body for body in bodies if body["infno"] == infno]

    def settled(self) -> list[str]:
        return [row["state"] for row in self.interface.memory.load("settlements").values()]


@pytest.fixture
def network(town: Town, tmp_path: Path) -> Iterator[Network]:
    interface = Interface({"code": "M1", "n": 100, "window_s": 60})
    interface.behave(latency={"kind": "fixed", "s": 0.0})
    store = Store(tmp_path / "M1.sqlite")
    memos = {space: Memo(store, space) for space in MedicalInsurance.SPACES}
    with interface:
        fsi = FsiClient(NetworkConfig(url=interface.url, timeout_s=2.0))
        yield Network(town, interface, Inbox(store), MedicalInsurance(fsi, memos, Inbox(store), 0.05))
    store.close()


@pytest.fixture
def who(town: Town) -> Insured:
    return town.insured()


def paid(network: Network, who: Insured) -> str:
    """A settlement whose self-pay part is paid: 2207 is asked for. Its id."""
    town = network.town
    card = {"card_no": f"M{who.patient_no}", "name": who.name, "document_no": who.document_no}
    network.interface.cards.put(card | {"account_fen": 0, "insured": True})
    settlement_id = ask(town, who, town.bill(who, settled=False))["id"]
    town.drain_all("settlement.admit")
    network.live()
    assert who.post("/settlements", {"trial_id": settlement_id}).status_code == 201
    town.drain_all("payment.prepay")
    pay(town, who, who.get(f"/settlements/{settlement_id}")["payment_id"])
    return str(settlement_id)


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_becomes_of_2207_both_halves_agree(network: Network, who: Insured, fault: str) -> None:
    settlement_id = paid(network, who)
    if FAULTS[fault]:
        network.interface.fail_infno("2207", **FAULTS[fault])
    network.live(killed_in="settle" if fault == "killed" else "")
    network.settle_down({})
    found = who.get(f"/settlements/{settlement_id}")
    if fault == "refused":
        assert (found["status"], network.settled()) == ("failed", [])
        network.town.until(lambda: who.get(f"/settlements/{settlement_id}")["self_pay_part"] == "reversed")
    else:
        assert (found["status"], network.settled()) == ("synchronised", ["settled"])
        assert not network.town.value("SELECT count(*) FROM refund")
    assert not network.town.dead()


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_becomes_of_2208_both_halves_go_back(network: Network, who: Insured, fault: str) -> None:
    settlement_id = paid(network, who)
    network.live()
    [notice] = network.town.commands("H1", "settlement")
    network.town.agent("H1").answer(notice["id"], {}, outcome="refused", code="already_settled")
    network.town.drain_all()
    if FAULTS[fault]:
        network.interface.fail_infno("2208", **FAULTS[fault])
    network.live(killed_in="reverse" if fault == "killed" else "")
    network.settle_down({})
    assert (who.get(f"/settlements/{settlement_id}")["status"], network.settled()) == ("reversed", ["reversed"])
    network.town.until(lambda: who.get(f"/settlements/{settlement_id}")["self_pay_part"] == "reversed")
    assert not network.town.dead()


def test_a_change_that_the_hospital_makes_is_what_is_tried_next(network: Network, who: Insured) -> None:
    """After a refusal the bill can be tried and settled anew, though its fees were taken back."""
    paid(network, who)
    network.interface.fail_infno("2207", **FAULTS["refused"])
    network.settle_down({})
    bill_id = network.town.value("SELECT bill_id FROM settlement")
    again = ask(network.town, who, bill_id)["id"]
    network.town.drain_all("settlement.admit")
    network.live()
    assert who.post("/settlements", {"trial_id": again}).status_code == 201
    network.town.drain_all("payment.prepay")
    pay(network.town, who, who.get(f"/settlements/{again}")["payment_id"])
    network.settle_down({})
    assert who.get(f"/settlements/{again}")["status"] == "synchronised"
    assert len(network.sent("2207")) == 2
