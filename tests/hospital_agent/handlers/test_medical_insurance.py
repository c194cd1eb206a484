"""The medical-insurance commands against the interface's double: a trial is sent once or not at all."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hospital_agent import clock
from hospital_agent.commands import Call, Desk, work_on
from hospital_agent.fsi import FsiAnswer, FsiClient, FsiMessage
from hospital_agent.handlers.fsi_messages import yuan
from hospital_agent.handlers.medical_insurance import MedicalInsurance, _stamps
from hospital_agent.sections import NetworkConfig
from hospital_agent.store.commands import Answer, Command, Inbox
from hospital_agent.store.db import Store
from hospital_agent.store.registry import Memo
from mock_partners.medical_insurance.server import MedicalInsurance as Interface

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Network:
    """The interface's double and the agent's handlers beside it."""

    interface: Interface
    handlers: MedicalInsurance
    inbox: Inbox

    def ask(self, kind: str, body: dict[str, Any], *, left_s: float | None = None, id: str = "") -> Answer:
        deadline_s = None if left_s is None else clock.steady_s() + left_s
        command = Command(id or f"C{next(_numbers)}", kind, "trial", 1, body, deadline_s)
        return work_on(Call(command, lambda: None), self.handlers.handlers())

    def arrivals(self, infno: str) -> int:
        return sum(f'"infno":"{infno}"' in e["body"].replace(" ", "") for e in self.interface.journal)


@pytest.fixture
def network(store: Store) -> Iterator[Network]:
    interface = Interface({"code": "M1", "n": 100, "window_s": 60})
    interface.behave(latency={"kind": "fixed", "s": 0.0})
    interface.start()
    inbox = Inbox(store)
    memos = {space: Memo(store, space) for space in MedicalInsurance.SPACES}
    fsi = FsiClient(NetworkConfig(url=interface.url, timeout_s=0.5))
    yield Network(interface, MedicalInsurance(fsi, memos, inbox, 0.05), inbox)
    interface.stop()


def line(number: int, insurance_class: str | None, fen: int) -> dict[str, Any]:
    return {
        "line_no": number,
        "category": "drug",
        "code": f"D{number}",
        "name": "阿莫西林",
        "insurance_class": insurance_class,
        "unit_price": f"{yuan(fen)}0000",
        "quantity": "1.0000",
        "amount_fen": fen,
    }


def trial_body(number: int = 1, hospital: str = "H1") -> dict[str, Any]:
    lines = [line(1, "甲", 10_000), line(2, "乙", 5_000), line(3, None, 1_234)]
    return {
        "trial_no": f"T{number}",
        "hospital_code": hospital,
        "medical_card_no": "C100000001",
        "document_type": "id_card",
        "document_no": "110101199003070011",
        "name": "张三",
        "visit": {
            "visit_key": "V1",
            "kind": "outpatient",
            "department_name": "内科",
            "started_at": "2026-11-21T01:00:00Z",
        },
        "diagnoses": [{"code": "J06.900", "name": "急性上呼吸道感染", "main": True}],
        "bill": {"bill_key": "B1", "total_fen": sum(x["amount_fen"] for x in lines)},
        "lines": lines,
    }


def settled(network: Network, settlement_no: str = "S1") -> tuple[dict[str, Any], Answer]:
    sides = dict(network.ask("trial", trial_body()).body)
    body = {key: sides[key] for key in ("fund_fen", "account_fen", "self_pay_fen")}
    body |= {
        "settlement_no": settlement_no,
        "hospital_code": "H1",
        "trial_no": "T1",
        "bill_key": "B1",
        "total_fen": 16_234,
    }
    return body, network.ask("settle", body)


def test_a_trial_answers_who_pays_what_and_when_it_arrived(network: Network) -> None:
    answer = network.ask("trial", trial_body(), left_s=5)
    assert answer.outcome == "done"
    body = answer.body
    assert body["fund_fen"] + body["account_fen"] + body["self_pay_fen"] == 16_234
    assert body["fund_fen"] == 8_000 + 2_975
    assert body["received_ms"] <= body["answered_ms"]


def test_a_second_trial_takes_the_earlier_upload_back(network: Network) -> None:
    first = network.ask("trial", trial_body(1))
    second = network.ask("trial", trial_body(2))
    assert second.outcome == "done"
    assert second.body["fund_fen"] == first.body["fund_fen"]
    assert (network.arrivals("2201"), network.arrivals("2205")) == (1, 1)


def test_two_hospitals_with_the_same_keys_do_not_meet(network: Network) -> None:
    network.ask("trial", trial_body(1, "H1"))
    assert network.ask("trial", trial_body(2, "H2")).outcome == "done"
    assert (network.arrivals("2201"), network.arrivals("2205")) == (2, 0)


def test_a_trial_command_is_sent_once_even_when_it_comes_twice(network: Network) -> None:
    network.ask("trial", trial_body(), id="ONE")
    answer = network.ask("trial", trial_body(), id="ONE")
    assert (answer.outcome, answer.code) == ("unknown", "already_sent")
    assert network.arrivals("2206") == 1


def test_past_its_deadline_nothing_is_sent(network: Network) -> None:
    answer = network.ask("trial", trial_body(), left_s=0.01)
    assert (answer.outcome, answer.code) == ("unknown", "past_deadline")
    assert network.interface.journal == []


def test_a_deadline_that_passes_on_the_way_stops_the_trial(network: Network) -> None:
    network.interface.fail_infno("2204", delay_s=0.4)
    answer = network.ask("trial", trial_body(), left_s=0.3)
    assert answer.outcome == "unknown"
    assert network.arrivals("2206") == 0


def test_a_trial_that_left_in_time_is_waited_for(network: Network) -> None:
    """The deadline is when it must have been sent; a slot is not given away for an answer that comes after it."""
    network.interface.fail_infno("2206", delay_s=0.35)
    answer = network.ask("trial", trial_body(), left_s=0.3)
    assert (answer.outcome, network.arrivals("2206")) == ("done", 1)


def test_a_lost_answer_is_unknown_and_not_asked_again(network: Network) -> None:
    network.interface.fail_infno("2206", drop="after")
    answer = network.ask("trial", trial_body())
    assert (answer.outcome, answer.code) == ("unknown", "interface_no_answer")
    assert network.arrivals("2206") == 1


@pytest.mark.parametrize("how", [{"status": 500}, {"status": 200, "body": "<html>"}, {"delay_s": 0.8}])
def test_an_answer_that_cannot_be_read_is_unknown(network: Network, how: dict[str, Any]) -> None:
    network.interface.fail_infno("2206", **how)
    assert network.ask("trial", trial_body()).outcome == "unknown"


def test_a_trial_that_could_not_be_prepared_was_not_sent(network: Network) -> None:
    network.interface.fail_infno("2203", drop="before")
    answer = network.ask("trial", trial_body())
    assert (answer.outcome, answer.code) == ("unknown", "not_sent")


def test_a_trial_that_found_nobody_at_home_was_not_sent(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    call = FsiClient.call

    def gone_before_the_trial(client: FsiClient, message: FsiMessage) -> FsiAnswer:
        if message.infno == "2206":
            network.interface.stop()
        return call(client, message)

    monkeypatch.setattr(FsiClient, "call", gone_before_the_trial)
    answer = network.ask("trial", trial_body())
    assert (answer.outcome, answer.code) == ("unknown", "not_sent")


@pytest.mark.parametrize(
    ("stamps", "expected"),
    [((1_000, 1_150), (1_000, 1_150)), ((1_000, 9_000), (8_800, 9_000)), ((None, 9_000), (None, 9_000))],
)
def test_the_interface_cannot_have_worked_longer_than_was_waited(
    stamps: tuple[int | None, int | None], expected: tuple[int | None, int | None]
) -> None:
    found = _stamps(FsiAnswer({}, *stamps), 0.2005)
    assert (found["received_ms"], found["answered_ms"]) == expected


def test_a_refusal_is_final_and_has_the_interfaces_reason(network: Network) -> None:
    network.interface.behave(open_enrolment=False)
    answer = network.ask("trial", trial_body())
    assert (answer.outcome, answer.code) == ("refused", "PERSON")
    assert answer.message


def test_settling_gives_the_interfaces_number(network: Network) -> None:
    body, answer = settled(network)
    assert answer.outcome == "done"
    assert answer.body == {"setl_id": answer.body["setl_id"]} | {
        key: body[key] for key in ("fund_fen", "account_fen", "self_pay_fen")
    }


def test_settling_without_a_trial_is_refused(network: Network) -> None:
    assert network.ask("settle", {"trial_no": "T9", "settlement_no": "S9"}).code == "trial_not_known"


def query(network: Network, settlement_no: str = "S1", *, final: bool = False) -> dict[str, Any]:
    body = {"settlement_no": settlement_no, "hospital_code": "H1", "trial_no": "T1", "final": final}
    return dict(network.ask("query_settlement", body).body)


def test_a_lost_settlement_is_unknown_and_can_be_asked_for(network: Network) -> None:
    assert query(network) == {"found": False, "final": False}
    network.interface.fail_infno("2207", drop="after")
    body, answer = settled(network)
    assert answer.outcome == "unknown"
    found = query(network)
    assert found["found"] and found["state"] == "settled"
    assert found["fund_fen"] == body["fund_fen"]
    again = network.ask("settle", body)
    assert (again.outcome, again.code) == ("refused", "SETTLED"), "an interface of the strict kind"


@pytest.mark.parametrize("kind", ["settle", "reverse"])
def test_what_moves_money_is_sent_once_even_when_it_comes_twice(network: Network, kind: str) -> None:
    body, answer = settled(network)
    if kind == "reverse":
        network.interface.fail_infno("2208", status=500)
        body = {"settlement_no": "S1", "hospital_code": "H1", "setl_id": answer.body["setl_id"]}
    infno = "2207" if kind == "settle" else "2208"
    network.ask(kind, body, id="ONE")
    before = network.arrivals(infno)
    again = network.ask(kind, body, id="ONE")
    assert (again.outcome, again.code) == ("unknown", "already_sent")
    assert network.arrivals(infno) == before


def test_a_settlement_past_its_deadline_is_not_sent(network: Network) -> None:
    body, answer = settled(network)
    assert network.ask("settle", body | {"settlement_no": "S2"}, left_s=0.01).code == "past_deadline"
    undo = {"settlement_no": "S1", "hospital_code": "H1", "setl_id": answer.body["setl_id"]}
    assert network.ask("reverse", undo, left_s=0.01).code == "past_deadline"
    assert (network.arrivals("2207"), network.arrivals("2208")) == (1, 0)


def test_a_settlement_that_never_arrived_is_not_found(network: Network) -> None:
    network.interface.fail_infno("2207", drop="before")
    assert settled(network)[1].outcome == "unknown"
    assert query(network) == {"found": False, "final": False}


def test_after_a_final_question_nothing_can_be_settled_any_more(network: Network) -> None:
    """Not even by a request that was on its way."""
    network.interface.fail_infno("2207", status=504, late=True, delay_s=0.3)
    assert settled(network)[1].outcome == "unknown"
    assert query(network, final=True) == {"found": False, "final": True}
    time.sleep(0.6)
    assert not network.interface.settlements.find({"data": {"out_setl_no": "S1"}})["found"]
    assert network.ask("trial", trial_body(2)).outcome == "done", "the bill may be tried anew"


def test_a_final_question_finds_what_was_settled(network: Network) -> None:
    settled(network)
    found = query(network, final=True)
    assert (found["found"], found["state"], found["final"]) == (True, "settled", True)
    assert query(network, "S9", final=True) == {"found": False, "final": True}, "settled under another number"


def test_a_question_that_could_not_close_the_trial_is_not_final(network: Network) -> None:
    network.ask("trial", trial_body())
    refusal = {"infcode": -1, "err_msg": "BUSY 维护中"}
    network.interface.fail_infno("2205", status=200, body=refusal)
    assert query(network, final=True) == {"found": False, "final": False}
    network.interface.fail_infno("2205", drop="before")
    body = {"settlement_no": "S1", "hospital_code": "H1", "trial_no": "T1", "final": True}
    assert network.ask("query_settlement", body).outcome == "failed"


def test_a_reversal_is_sent_once_and_its_end_can_be_asked_for(network: Network) -> None:
    _, answer = settled(network)
    body = {"settlement_no": "S1", "hospital_code": "H1", "setl_id": answer.body["setl_id"]}
    network.interface.fail_infno("2208", drop="after")
    assert network.ask("reverse", body).outcome == "unknown"
    assert query(network)["state"] == "reversed"
    assert network.ask("reverse", body).outcome == "done", "it is there already"
    assert network.arrivals("2208") == 1
    assert network.ask("reverse", body | {"settlement_no": "S9"}).code == "settlement_not_known"


def test_another_machine_can_reverse_and_tell(network: Network, tmp_path: Path) -> None:
    """The store of the one that settled is gone."""
    body, answer = settled(network)
    store = Store(tmp_path / "new.sqlite")
    memos = {space: Memo(store, space) for space in MedicalInsurance.SPACES}
    fsi = FsiClient(NetworkConfig(url=network.interface.url, timeout_s=0.5))
    other = Network(network.interface, MedicalInsurance(fsi, memos, Inbox(store), 0.05), Inbox(store))
    assert query(other, final=True)["state"] == "settled"
    again = other.ask("settle", body)
    assert (again.outcome, again.code) == ("refused", "trial_not_known")
    undo = {"settlement_no": "S1", "hospital_code": "H1", "setl_id": answer.body["setl_id"]}
    assert other.ask("reverse", undo).outcome == "done"
    store.close()


def test_the_network_is_told_of_the_self_pay_part(network: Network) -> None:
    body, answer = settled(network)
    told = {key: body[key] for key in ("settlement_no", "self_pay_fen", "hospital_code")}
    told |= {"setl_id": answer.body["setl_id"], "payment_no": "P1", "paid_at": "2026-11-21T03:00:00Z"}
    assert network.ask("sync_self_pay", told).outcome == "done"
    assert network.ask("sync_self_pay", told).outcome == "done"


def test_a_restart_answers_unknown_for_what_is_sent_once_and_goes_on_with_the_rest(network: Network) -> None:
    """Whoever was killed may have been so between sending and answering."""
    body, answer = settled(network)
    undo = {"settlement_no": "S1", "hospital_code": "H1", "setl_id": answer.body["setl_id"]}
    asked = {"settlement_no": "S1", "hospital_code": "H1", "trial_no": "T1", "final": False}
    left = [("trial", trial_body(2)), ("settle", body), ("reverse", undo), ("query_settlement", asked)]
    network.inbox.take([Command(kind, kind, "settlement", seq, said) for seq, (kind, said) in enumerate(left)])
    before = [network.arrivals(infno) for infno in ("2206", "2207", "2208")]
    desk = Desk(network.inbox, network.handlers.handlers(), {"": 1, "trial": 1, "settlement": 1})
    desk.resume()
    wait_until(desk.is_idle)
    desk.close()
    answers = {a["id"]: (a["outcome"], a["code"]) for a in network.inbox.undelivered()}
    unknown = ("unknown", "agent_restarted")
    assert answers == {"trial": unknown, "settle": unknown, "reverse": unknown, "query_settlement": ("done", None)}
    assert [network.arrivals(infno) for infno in ("2206", "2207", "2208")] == before


def wait_until(true: Callable[[], bool], timeout_s: float = 60.0) -> None:
    ends_s = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < ends_s, "not in time"
        time.sleep(0.005)
