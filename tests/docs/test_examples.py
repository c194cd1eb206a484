"""The examples of the guides run as they stand, as processes of their own, against the real application."""

from __future__ import annotations

import json
import runpy
import shutil
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.core.jwe import MAX_BYTES, encrypt
from app.core.work import Runtime
from app.exchange.cli import partner
from app.exchange.models import Message
from app.gateways.http import sign
from app.sandbox.cli import sandbox
from app.sandbox.messages import MESSAGES
from tests.app.kit import DrainAll, value
from tests.claim_checker.sample import INSURER, PUBLIC
from tests.needs import missing
from tests.servers import ROOT

EXAMPLES = ROOT / "docs" / "examples"
WORK = ("appointment.apply_catalogue", "record.apply", "reconciliation.take_batch")


def new(client: FlaskClient, kind: str, folder: Path) -> str:
    """The new party's code; its files are in `folder`."""
    answer = client.application.test_cli_runner().invoke(sandbox, ["new", kind, "--to", str(folder)])
    assert answer.exit_code == 0, answer.output
    return str(answer.output.split()[-1])


def run(*arguments: str, status: int = 0) -> str:
    """What a program says; its standard error if it ends otherwise than it should."""
    done = subprocess.run(arguments, cwd=EXAMPLES, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == status, done.stderr + done.stdout
    return done.stdout


def python(name: str, *arguments: str, status: int = 0) -> str:
    return run(sys.executable, f"{name}.py", *arguments, status=status)


def change(folder: Path, **members: Any) -> None:
    file = folder / "partner.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | members))


def test_a_hospital_in_python(served: FlaskClient, runtime: Runtime, drain_all: DrainAll, tmp_path: Path) -> None:
    new(served, "hospital", tmp_path)
    first = python("hospital", str(tmp_path))
    assert "commands: ['pull_patient']" in first and "1 received []" in first
    drain_all(*WORK)
    again = python("hospital", str(tmp_path)).splitlines()
    assert again[0] == "commands: []"
    assert again[1:5] == [
        f"1 applied {['applied'] * 3}", f"2 applied {['applied'] * 7}", "3 applied ['applied']",
        "4 applied ['applied']",
    ]  # fmt: skip
    assert "'percent': 100.0" in again[5]
    assert value(runtime, "SELECT count(*) FROM batch") == 4, "the second run sent nothing new"
    assert value(runtime, "SELECT version FROM visit") == 2


def test_an_insurer_in_python(served: FlaskClient, runtime: Runtime, drain_all: DrainAll, tmp_path: Path) -> None:
    new(served, "insurer", tmp_path)
    said = python("insurer", str(tmp_path))
    assert "cursor 1" in said and "CL-SANDBOX ['bills', 'claim', 'diagnoses', 'hospital', 'insured', 'policy']" in said
    drain_all()
    assert "cursor 6" in python("insurer", str(tmp_path)), "five messages about a claim that there is not"
    with runtime.read() as session:
        assert set(session.scalars(select(Message.type))) == set(MESSAGES)


def test_the_largest_part_opens() -> None:
    text = "a" * (MAX_BYTES - 2)
    package = {"parts": {"claim": {}}, "encrypted": {"documents": encrypt(json.dumps(text).encode(), PUBLIC)}}
    open_package = runpy.run_path(str(EXAMPLES / "exchange.py"))["open_package"]
    assert open_package(package, INSURER.as_pem(private=True).decode()) == {"claim": {}, "documents": text}


def test_a_key_is_changed_to_ed25519_without_a_pause(served: FlaskClient, tmp_path: Path) -> None:
    code, runner = new(served, "hospital", tmp_path), served.application.test_cli_runner()
    private, public = python("exchange", "new-key-pair").split()
    assert runner.invoke(partner, ["add-key", f"{code}-agent", "--public", public]).exit_code == 0
    old = json.loads((tmp_path / "partner.json").read_text())["secret"]
    for secret in (old, private):
        change(tmp_path, secret=secret)
        python("hospital", str(tmp_path))
    assert runner.invoke(partner, ["retire-key", f"{code}-agent"]).exit_code == 0
    python("hospital", str(tmp_path))
    change(tmp_path, secret=old)
    python("hospital", str(tmp_path), status=1)


def test_with_curl(served: FlaskClient, runtime: Runtime, tmp_path: Path) -> None:
    for tool in ("curl", "jq", "openssl"):
        if shutil.which(tool) is None:
            missing(tool)
    new(served, "hospital", tmp_path)
    send, folder = str(EXAMPLES / "send.sh"), str(tmp_path)
    guide = (ROOT / "docs" / "hospital.md").read_text(encoding="utf-8")
    step = next(line.split() for line in guide.splitlines() if line.startswith("    examples/send.sh"))
    for _ in range(2):
        taken = json.loads(run(send, folder, step[2], step[3].replace("sandbox", folder), step[4]))
        assert uuid.UUID(taken["batch_id"])
    assert value(runtime, "SELECT count(*) FROM batch") == 1
    assert "commands: ['pull_patient']" in python("hospital", folder), "the guide's next step finds the batch sent"
    (tmp_path / "ask.json").write_text('{"batch_no": 2}')
    assert json.loads(run(send, folder, "/batches/verdicts", f"{folder}/ask.json"))["status"] == "received"
    change(tmp_path, secret="whsec_" + "b3Ro" * 8)
    assert json.loads(run(send, folder, "/batches/verdicts", f"{folder}/ask.json", status=22))["code"] == (
        "signature_invalid"
    )


def test_what_the_platform_sends_is_received_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    receiver = __import__("receiver").Receiver(["whsec_" + "b2xk" * 8, "whsec_" + "bmV3" * 8])
    body = json.dumps({"claim_no": "CL1", "policy_no": "P1", "package": {}})
    for secret in ("whsec_" + "bmV3" * 8, f"{'whsec_' + 'bmV3' * 8} {'whsec_' + 'b2xk' * 8}"):
        assert receiver.handle("/v1/claims", sign(secret, "m1", body), body) == (202, {"case_no": "CASE-000001"})
    assert receiver.handle("/v1/claims", sign("whsec_" + "b2xk" * 8, "m2", body), body)[1] == {"case_no": "CASE-000001"}
    assert receiver.handle("/v1/claims", sign("whsec_" + "eHh4" * 8, "m3", body), body)[0] == 401
    assert receiver.handle("/v1/claims", sign("whsec_" + "b2xk" * 8, "m4", body), body + " ")[0] == 401


@pytest.mark.parametrize(
    ("asked", "pauses"),
    [
        (None, [0.4, 0.8, 1.6, 3.2]),
        ("7", [7.0] * 4),
        ("Wed, 21 Oct 2026 07:28:00 GMT", [0.4, 0.8, 1.6, 3.2]),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_exchange_is_given_time(
    monkeypatch: pytest.MonkeyPatch, status: int, asked: str | None, pauses: list[float]
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    headers = {} if asked is None else {"Retry-After": asked}
    answers = [httpx.Response(status, headers=headers)] * 4 + [httpx.Response(200, json={"cursor": 1})]
    http = httpx.Client(transport=httpx.MockTransport(lambda request: answers.pop(0)))
    exchange = runpy.run_path(str(EXAMPLES / "exchange.py"))["Exchange"](
        "http://exchange", "H1-agent", "whsec_" + "b3V0" * 8, http
    )
    assert exchange.post("/changes/ack", {"cursor": 1}) == {"cursor": 1}
    assert waited == pytest.approx(pauses)


class Lossy(httpx.Client):
    """The first answer is lost on its way, after what was asked has been done."""

    lost = False

    def post(self, *arguments: Any, **more: Any) -> httpx.Response:
        answer = super().post(*arguments, **more)
        if not self.lost:
            self.lost = True
            raise httpx.ReadError("lost")
        return answer


def test_what_a_lost_answer_said_is_told_again(served: FlaskClient, runtime: Runtime, tmp_path: Path) -> None:
    new(served, "hospital", tmp_path)
    connect = runpy.run_path(str(EXAMPLES / "exchange.py"))["connect"]
    given = json.loads((tmp_path / "catalogue.json").read_text())
    taken = connect(str(tmp_path), Lossy()).post("/batches", given, "batch-1")
    assert [str(value(runtime, "SELECT id FROM batch"))] == [taken["batch_id"]]
    ask = {"max": 200, "wait_ms": 0, "lane_seen": {"pull": 0}}
    (command,) = connect(str(tmp_path), Lossy()).post("/commands/poll", ask)["commands"]
    assert command["kind"] == "pull_patient"
