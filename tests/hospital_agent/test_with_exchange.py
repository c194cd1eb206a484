"""The agent and the real exchange, over HTTP."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Response, jsonify, request

from app.core.local_server import free_port
from app.core.settings import Settings
from app.core.work import Runtime
from app.exchange import service
from app.exchange.completeness import completeness
from app.exchange.service import Verdict
from app.wiring import make_runtime
from hospital_agent.__main__ import main
from hospital_agent.agent import Agent
from hospital_agent.errors import Refused, Temporary
from hospital_agent.exchange import ExchangeClient, Link, NotTrusted
from hospital_agent.outbox import AnswerSender
from hospital_agent.signing import PrivateKey
from hospital_agent.store.commands import Answer, Command, Inbox
from hospital_agent.store.db import Store
from hospital_agent.store.registry import Memo, Ties
from mock_partners.double import Double
from mock_partners.latency import Latency
from mock_partners.medical_insurance.server import MedicalInsurance
from tests.app.conftest import (  # noqa: F401
    client,
    gateways,
    made_apps,
    settings,
    world,
)
from tests.hospital_agent.exchange_site import ROUTES, Platform, hospital, load, serving, wait_for, write_config
from tests.hospital_agent.handlers.test_medical_insurance import trial_body
from tests.hospital_agent.small_his import DAY, open_small, run

ROWS = 15
"""Rows that the small hospital has to send at first."""


@pytest.fixture
def runtime(fresh_database_url: str, redis_url: str) -> Iterator[Runtime]:
    own = Settings(database_url=fresh_database_url, redis_url=redis_url, caller_limit="100000 per minute")
    runtime = make_runtime(own, routes=ROUTES, ring=lambda kinds: None)
    yield runtime
    runtime.database.dispose()


@pytest.fixture
def platform(runtime: Runtime, world: object) -> Iterator[Platform]:  # noqa: F811
    with serving(runtime) as url:
        yield Platform(url, runtime, world)  # type: ignore[arg-type]


@contextmanager
def running(path: Path) -> Iterator[Agent]:
    agent = Agent(load(path))
    agent.start()
    try:
        yield agent
    finally:
        agent.stop()


def test_once_sends_everything_and_ends(platform: Platform, source_url: str, tmp_path: Path) -> None:
    path = hospital(tmp_path, platform, source_url)
    assert main(["--config", str(path), "--once", "--timeout-s", "20"]) == 0
    assert [number for _, number, _ in platform.batches()] == [1]
    assert len(platform.rows()) == ROWS
    assert main(["--config", str(path), "--once", "--timeout-s", "20"]) == 0
    assert len(platform.batches()) == 1


def test_a_command_is_answered_within_a_moment(platform: Platform, source_url: str, tmp_path: Path) -> None:
    with running(hospital(tmp_path, platform, source_url, commands={"wait_ms": 2000})) as agent:
        wait_for(lambda: platform.batches() and not agent.spool.unsent())
        took_s = []
        for _ in range(3):
            started_s = time.monotonic()
            answer = platform.wait_answer(platform.command("H1", "list_ties", {}))
            assert (answer.outcome, answer.body) == ("done", {"ties": [], "revoked": []})
            took_s.append(time.monotonic() - started_s)
        assert min(took_s) < 1.9, "a poll that nothing wakes takes two seconds"


def test_a_pull_is_answered_when_its_rows_are_with_the_exchange(
    platform: Platform, source_url: str, tmp_path: Path
) -> None:
    path = hospital(tmp_path, platform, source_url, bulk={"enabled": False})
    with running(path):
        answer = platform.wait_answer(platform.command("H1", "pull_patient", {"patient_no": "P2"}))
        assert answer.body == {"batch_nos": [1], "complete": True}
        assert sorted(row["key"] for row in platform.rows()) == ["2", "5", "B2", "B2-1", "B5", "B5-1"]
        again = platform.wait_answer(platform.command("H1", "pull_patient", {"patient_no": "P2"}))
        assert again.body == {"batch_nos": [], "complete": True}


def test_a_pull_whose_rows_cannot_leave_is_answered_in_time(
    platform: Platform, source_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = hospital(tmp_path, platform, source_url, bulk={"enabled": False}, pull={"push_timeout_s": 0.3})
    with running(path) as agent:
        with monkeypatch.context() as away:
            away.setattr(ExchangeClient, "push", unreachable)
            answer = platform.wait_answer(platform.command("H1", "pull_patient", {"patient_no": "P2"}))
        assert (answer.outcome, answer.code) == ("failed", "push_pending")
        wait_for(lambda: not agent.spool.unsent())
        assert len(platform.rows()) == 6, "nothing is lost: the rows follow when the network is back"
        again = platform.wait_answer(platform.command("H1", "pull_patient", {"patient_no": "P2"}))
        assert (again.outcome, again.body) == ("done", {"batch_nos": [], "complete": True})


def unreachable(*_: object, **__: object) -> None:
    raise Temporary("exchange_unreachable")


def test_an_agent_with_a_key_of_its_own_answers_what_an_insurer_asks(
    platform: Platform, source_url: str, tmp_path: Path
) -> None:
    key = "whsk_" + b64encode(bytes(range(32))).decode()
    with platform.runtime.work() as work:
        partner = service.partner_by_code(work.session, "H1-agent")
        service.add_key(work, partner.id, PrivateKey(key).public_key)
        service.retire_oldest_key(work, partner.id)
    body = {"patient_no": "P2", "visit_keys": ["2"], "types": ["visit", "bill"]}
    with running(hospital(tmp_path, platform, source_url, secret=key, bulk={"enabled": False})):
        answer = platform.wait_answer(platform.command("H1", "read_visit", body))
    assert [row["key"] for row in answer.body["rows"]] == ["2", "B2"] and answer.body["complete"] is True
    assert platform.rows() == []


def test_a_ledger_is_answered_with_what_the_batch_declares(platform: Platform, source_url: str, tmp_path: Path) -> None:
    with running(hospital(tmp_path, platform, source_url, bulk={"enabled": False})):
        answer = platform.wait_answer(platform.command("H1", "collect_ledger", {"business_date": DAY.isoformat()}))
        assert (answer.body["batch_no"], answer.body["count"], answer.body["amount_fen"]) == (1, 0, 0)
        assert [kind for _, _, kind in platform.batches()] == ["ledger"]


def test_a_hospital_that_cannot_be_reached_is_a_failure_and_an_unknown_command_a_refusal(
    platform: Platform, source_url: str, tmp_path: Path
) -> None:
    with running(hospital(tmp_path, platform, source_url)):
        failed = platform.command("H1", "verify_identity", {"check_no": "K1"})
        assert platform.wait_answer(failed).outcome == "failed"
        refused = platform.wait_answer(platform.command("H1", "settle", {}))
        assert (refused.outcome, refused.code) == ("refused", "unsupported_command")


class RegistrationDesk(Double):
    """A hospital that registers whomever it is asked for, in its own time."""

    in_order = True

    def __init__(self) -> None:
        super().__init__("desk")
        self.app.add_url_rule("/registrations", view_func=self._register, methods=["POST"])

    def _register(self) -> Response:
        return jsonify(patient_no="P" + request.get_json()["registration_no"])

    def arrivals(self) -> list[str]:
        """Numbers in the order in which they arrived."""
        rows = sorted(self.journal, key=lambda row: row["received_at"])
        return [json.loads(row["body"])["registration_no"] for row in rows]


def test_a_slow_hospital_has_several_under_way_and_gets_them_in_their_order(
    platform: Platform, source_url: str, tmp_path: Path
) -> None:
    numbers = [f"R{n:02d}" for n in range(24)]
    with RegistrationDesk() as desk:
        slow = {"kind": "lognormal", "median_s": 0.3, "sigma": 1.41, "seed": 3, "max_s": 4.0}
        desk.pace("/registrations", slow)
        same = Latency(slow)
        alone_s = sum(same.next_s() for _ in numbers)
        with running(hospital(tmp_path, platform, source_url, his={"url": desk.url}, bulk={"enabled": False})):
            started_s = time.monotonic()
            asked = [
                platform.command("H1", "register", {"registration_no": one}, lane="registration") for one in numbers
            ]
            answers = [platform.wait_answer(one) for one in asked]
            took_s = time.monotonic() - started_s
        assert [answer.body["patient_no"] for answer in answers] == ["P" + one for one in numbers]
        assert desk.arrivals() == numbers
        assert took_s < alone_s, "one at a time would take as long as all of them"


def test_registrations_wait_for_a_hospital_that_is_away_and_come_in_their_order(
    platform: Platform, source_url: str, tmp_path: Path
) -> None:
    port, numbers = free_port(), [f"R{n:02d}" for n in range(20)]
    site = hospital(tmp_path, platform, source_url, his={"url": f"http://127.0.0.1:{port}"}, bulk={"enabled": False})
    with running(site) as agent:
        asked = [platform.command("H1", "register", {"registration_no": one}, lane="registration") for one in numbers]
        wait_for(lambda: not agent.inbox.is_empty())
        time.sleep(0.5)
        assert agent.inbox.undelivered() == [], "an outage is no answer"
        desk = RegistrationDesk()
        desk.start(port)
        assert {platform.wait_answer(one).outcome for one in asked} == {"done"}
        assert desk.arrivals() == numbers
    desk.stop()


class OddDesk(RegistrationDesk):
    """Its numbers, and the reasons of its refusals, hold what no partner may send on."""

    def _register(self) -> Response:
        number = request.get_json()["registration_no"]
        if number == "R-odd":
            return jsonify(patient_no="P\x00")
        if number == "R-refused":
            refused = jsonify(code="blacklisted", message="请到\x00窗口")
            refused.status_code = 409
            return refused
        return super()._register()


def test_an_answer_that_the_exchange_cannot_take_is_a_failure_of_that_command_alone(
    platform: Platform, source_url: str, tmp_path: Path
) -> None:
    numbers = ["R-1", "R-odd", "R-refused", "R-2"]
    with OddDesk() as desk:
        site = hospital(tmp_path, platform, source_url, his={"url": desk.url}, bulk={"enabled": False})
        asked = [platform.command("H1", "register", {"registration_no": one}, lane="registration") for one in numbers]
        with running(site) as agent:
            heard = [platform.wait_answer(one) for one in asked]
            wait_for(agent.inbox.is_empty)
        assert [(one.outcome, one.code) for one in heard] == [
            ("done", None),
            ("failed", "answer_unfit"),
            ("refused", "blacklisted"),
            ("done", None),
        ]
        assert heard[2].message == "请到\ufffd窗口"
        assert desk.arrivals() == numbers, "nothing is asked twice"


class OddInterface(Double):
    """An interface that settles under a number that no partner may send on."""

    def __init__(self) -> None:
        super().__init__("interface")
        self.app.add_url_rule("/fsi/api", view_func=self._settle, methods=["POST"])

    def _settle(self) -> Response:
        sides = {"fund_pay_sumamt": "1.00", "acct_pay": "0.00", "psn_cash_pay": "0.00"}
        return jsonify(infcode=0, output={"setlinfo": {"setl_id": "S\x00", **sides}})


def test_what_was_sent_once_stays_in_doubt_where_its_answer_cannot_be_taken(platform: Platform, tmp_path: Path) -> None:
    with OddInterface() as interface:
        network = {"url": interface.url}
        path = write_config(tmp_path, platform, "M1", role="medical_insurance", medical_insurance=network)
        body = {"trial_no": "T1", "total_fen": 100, "fund_fen": 100, "account_fen": 0, "self_pay_fen": 0}
        with running(path) as agent:
            Memo(agent.store, "trial").put("T1", {"hospital": "H1", "request": {}})
            given = platform.command("M1", "settle", body | {"settlement_no": "N1"}, lane="settlement", left_s=30)
            answer = platform.wait_answer(given)
        assert (answer.outcome, answer.code) == ("unknown", "answer_unfit"), "never 'not done': it is asked for"


def test_answers_wait_where_the_exchange_takes_none_at_all(platform: Platform, tmp_path: Path, store: Store) -> None:
    inbox, program = Inbox(store), platform.world.partner["H1"]
    inbox.answer(Answer("C1", "done", body={"patient_no": "P1"}))
    away = ExchangeClient(Link(platform.url + "/elsewhere", program.code, program.secret))
    with pytest.raises(Refused):
        AnswerSender(away, inbox, threading.Event()).send_all(attempts=1)
    assert [one["outcome"] for one in inbox.undelivered()] == ["done"]


def test_the_network_may_be_away_at_the_start(
    platform: Platform, runtime: Runtime, source_url: str, tmp_path: Path
) -> None:
    with serving(runtime) as url:
        port = int(url.rpartition(":")[2])
    away = Platform(url, runtime, platform.world)
    with running(hospital(tmp_path, away, source_url)) as agent:
        wait_for(agent.spool.unsent)
        assert platform.batches() == []
        with serving(runtime, port):
            wait_for(lambda: len(platform.batches()) == 1)
            wait_for(lambda: not agent.spool.unsent())


def test_the_same_batch_again_is_the_same_batch(platform: Platform, source_url: str, tmp_path: Path) -> None:
    agent = Agent(load(hospital(tmp_path, platform, source_url)))
    assert agent.bulk is not None
    agent.bulk.scan()
    batch = agent.spool.next_unsent()
    assert batch is not None
    assert agent.client.push(batch) == agent.client.push(batch)
    agent.stop()


def test_a_store_from_an_old_copy_goes_on_behind_what_the_exchange_knows(
    platform: Platform, source_url: str, tmp_path: Path
) -> None:
    path = hospital(tmp_path, platform, source_url)
    assert main(["--config", str(path), "--once"]) == 0
    first = {row["key"]: row["version"] for row in platform.rows()}
    for file in tmp_path.glob("H1.sqlite*"):
        file.unlink()
    time.sleep(1.1)
    assert main(["--config", str(path), "--once"]) == 0
    assert [number for _, number, _ in platform.batches()] == [1, 2]
    newer = platform.rows()[ROWS:]
    assert len(newer) == ROWS
    assert all(row["version"] > first[row["key"]] for row in newer)


def test_a_wrong_secret_loses_nothing(platform: Platform, source_url: str, tmp_path: Path) -> None:
    path = hospital(tmp_path, platform, source_url)
    wrong = tmp_path / "wrong.toml"
    text = path.read_text(encoding="utf-8")
    wrong.write_text(text.replace(platform.world.partner["H1"].secret, "whsec_" + "d3Jv" * 8), encoding="utf-8")
    with pytest.raises(NotTrusted):
        ExchangeClient(load(wrong).link).poll(1, 0, None)
    with running(wrong) as agent:
        wait_for(agent.spool.unsent)
    assert platform.batches() == []
    assert main(["--config", str(path), "--once"]) == 0
    assert len(platform.rows()) == ROWS


def test_what_the_exchange_refused_is_seen_at_the_source(platform: Platform, source_url: str, tmp_path: Path) -> None:
    path = hospital(tmp_path, platform, source_url)
    assert main(["--config", str(path), "--once"]) == 0
    (batch_id, _, _) = platform.batches()[0]
    with platform.runtime.work() as work:
        verdicts = [Verdict(row["type"], row["key"], "applied") for row in service.open_batch(work, batch_id).rows]
        verdicts[-1] = Verdict("fee_line", "B5-1", "refused", "lines_do_not_add_up")
        service.settle_batch(work, batch_id, verdicts)
    with running(path) as agent:
        wait_for(lambda: agent.spool.bad_rows() == [("fee_line", "B5-1", "exchange: lines_do_not_add_up")])
        wait_for(lambda: not agent.spool.unjudged())


def test_the_platform_knows_how_many_rows_cannot_be_sent(platform: Platform, source_url: str, tmp_path: Path) -> None:
    def held() -> int:
        with platform.runtime.read() as session:
            return completeness(session, platform.world.party["H1"], DAY).bad_rows

    source = open_small(source_url, tmp_path, fill=False)
    run(source, "UPDATE jsd SET zje = 1.005 WHERE jsdh IN ('B1', 'B2')")
    with running(hospital(tmp_path, platform, source_url)):
        wait_for(lambda: held() == 2)
        run(source, "UPDATE jsd SET zje = 1.01 WHERE jsdh = 'B1'")
        wait_for(lambda: held() == 1)
    source.engine.dispose()


def start(path: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "hospital_agent", "--config", str(path)])


def test_a_killed_agent_loses_and_doubles_nothing(platform: Platform, source_url: str, tmp_path: Path) -> None:
    path = hospital(tmp_path, platform, source_url, bulk={"interval_s": 0.01, "max_active": 50, "night": []})
    source = open_small(source_url, tmp_path, fill=False)
    for life in range(5):
        run(source, "UPDATE mx SET je = je + 1; UPDATE jsd SET zje = zje + 1")
        process = start(path)
        wait_for((tmp_path / "H1.sqlite").exists)
        time.sleep(0.3 + 0.25 * life)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert main(["--config", str(path), "--once"]) == 0
    numbers = [number for _, number, _ in platform.batches()]
    assert numbers == list(range(1, len(numbers) + 1))
    rows = platform.rows()
    seen = [(row["type"], row["key"], row["version"]) for row in rows]
    assert len(seen) == len(set(seen)), "no row with the same version twice"
    newest = {(row["type"], row["key"]): row["data"] for row in rows}
    assert len(newest) == ROWS
    assert newest["fee_line", "B1-1"]["amount_fen"] == 1001 + 500
    source.engine.dispose()


def test_a_command_that_was_in_work_is_done_by_the_next_life(
    platform: Platform, source_url: str, tmp_path: Path
) -> None:
    path = hospital(tmp_path, platform, source_url)
    first = Agent(load(path))
    command_id = platform.command("H1", "list_ties", {})
    first.inbox.take(first.client.poll(10, 0, None))
    first.store.close()
    with running(path):
        assert platform.wait_answer(command_id).outcome == "done"


def test_what_a_killed_agent_had_not_kept_is_done_before_what_is_newer(
    platform: Platform, source_url: str, tmp_path: Path
) -> None:
    numbers = [f"R{n:02d}" for n in range(12)]
    with RegistrationDesk() as desk:
        path = hospital(tmp_path, platform, source_url, his={"url": desk.url}, bulk={"enabled": False})
        asked = [platform.command("H1", "register", {"registration_no": one}, lane="registration") for one in numbers]
        killed = Agent(load(path))
        killed.inbox.take(killed.client.poll(3, 0, None, lane_seen={"registration": killed.inbox.seen("registration")}))
        assert len(killed.client.poll(4, 0, None)) == 4, "handed out, and lost with the process"
        killed.store.close()
        with running(path):
            started_s = time.monotonic()
            assert {platform.wait_answer(one).outcome for one in asked} == {"done"}
            assert time.monotonic() - started_s < 25, "not only when it is handed out again by the clock"
        assert desk.arrivals() == numbers


def test_a_pull_that_waits_for_the_network_does_not_hold_up_the_end(
    platform: Platform, source_url: str, tmp_path: Path
) -> None:
    path = hospital(tmp_path, platform, source_url, bulk={"enabled": False})
    agent = Agent(load(path))
    agent.desk.take([Command("C1", "pull_patient", "pull", 1, {"patient_no": "P2"})])
    wait_for(agent.spool.unsent)
    started_s = time.monotonic()
    agent.stop()
    assert time.monotonic() - started_s < 60
    store = Store(tmp_path / "H1.sqlite")
    assert [left.id for left in Inbox(store).left_over()] == ["C1"]
    store.close()


def test_a_tie_that_is_revoked_on_the_machine_is_told_at_once_and_once(
    platform: Platform, source_url: str, tmp_path: Path
) -> None:
    path = hospital(tmp_path, platform, source_url)
    tie = {"account_ref": "a" * 32, "patient_no": "P1"}
    with running(path) as agent:
        Ties(agent.store).tie(**tie)
        assert main(["--config", str(path), "--revoke", "P1", "a" * 32]) == 0
        wait_for(lambda: platform.messages() and not agent.messages.unsent())
    assert platform.messages() == [("tie.revoked", tie)]


def test_a_revocation_waits_for_the_network(platform: Platform, source_url: str, tmp_path: Path) -> None:
    path = hospital(tmp_path, platform, source_url, exchange_url=f"http://127.0.0.1:{free_port()}")
    tie = {"account_ref": "a" * 32, "patient_no": "P1"}
    with running(path) as agent:
        Ties(agent.store).tie(**tie)
        assert Ties(agent.store).revoke(**tie)
        agent.teller.wake.set()
        time.sleep(0.1)
        [waits] = agent.messages.unsent()
    with running(hospital(tmp_path, platform, source_url)) as agent:
        wait_for(lambda: platform.messages() and not agent.messages.unsent())
    assert (waits.type, platform.messages()) == ("tie.revoked", [("tie.revoked", tie)])


def test_sigterm_ends_it_in_order(platform: Platform, source_url: str, tmp_path: Path) -> None:
    process = start(hospital(tmp_path, platform, source_url))
    wait_for(platform.batches)
    process.terminate()
    assert process.wait(15) == 0


def test_a_trial_goes_through_the_medical_insurance_agent_once(platform: Platform, tmp_path: Path) -> None:
    interface = MedicalInsurance({"code": "M1", "n": 10, "window_s": 6})
    interface.behave(latency={"kind": "fixed", "s": 0.0})
    url = interface.start()
    path = write_config(tmp_path, platform, "M1", role="medical_insurance", medical_insurance={"url": url})
    with running(path):
        command_id = platform.command("M1", "trial", trial_body(), lane="trial", left_s=5)
        answer = platform.wait_answer(command_id)
        assert answer.outcome == "done"
        arrivals = interface.gate.rows()
        assert [row["at_ms"] for row in arrivals] == [answer.body["received_ms"]]
    interface.stop()


def test_an_insurers_agent_pushes_its_own_books(
    platform: Platform, source_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = open_small(source_url, tmp_path, fill=False)
    run(source, "INSERT INTO qs VALUES ('2026112100000000017', '1', NULL, 12.34, 'booked', NULL, '2026-11-21')")
    section = {"database_url": source_url, "mapping": "small.mapping.toml"}
    path = write_config(tmp_path, platform, "I1", role="insurer", source=section, bulk={"enabled": False})
    with running(path):
        answer = platform.wait_answer(platform.command("I1", "collect_ledger", {"business_date": DAY.isoformat()}))
        assert (answer.body["count"], answer.body["amount_fen"]) == (1, 1234)
    assert main(["--config", str(path), "--dry-run"]) == 0
    shown = capsys.readouterr()
    [row] = [one for line in shown.out.splitlines() if (one := json.loads(line))["type"] == "ledger"]
    assert (row["key"], row["data"]["amount_fen"]) == ("own-2026112100000000017", 1234)
    assert f"1 ledger rows of {DAY} would be sent when they are asked for" in shown.err
    source.engine.dispose()


def test_the_doctor_names_what_to_mend(
    platform: Platform, source_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = hospital(tmp_path, platform, source_url, his={"url": platform.url})
    assert main(["--config", str(path), "--doctor"]) == 0
    assert "MEND" not in capsys.readouterr().out
    source = open_small(source_url, tmp_path, fill=False)
    run(source, "UPDATE jsd SET zje = 1.005 WHERE jsdh = 'B1'; DROP TABLE qs")
    path.chmod(0o644)
    text = path.read_text(encoding="utf-8").replace(platform.world.partner["H1"].secret, "whsec_" + "d3Jv" * 8)
    path.write_text(text, encoding="utf-8")
    assert main(["--config", str(path), "--doctor"]) == 1
    told = capsys.readouterr().out
    for advice in ("chmod 600", "source bill", "total_fen", "source own", "does not accept partner and secret"):
        assert advice in told
    source.engine.dispose()


def test_a_dry_run_sends_and_remembers_nothing(
    platform: Platform, source_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = hospital(tmp_path, platform, source_url)
    for _ in range(2):
        assert main(["--config", str(path), "--dry-run"]) == 0
        assert len(capsys.readouterr().out.splitlines()) == ROWS
    assert platform.batches() == []


def test_a_configuration_that_cannot_be_used_ends_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", str(tmp_path / "none.toml")]) == 2
    assert "cannot be read" in capsys.readouterr().err
