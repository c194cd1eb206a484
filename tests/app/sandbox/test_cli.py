"""An integrator gets keys that work, samples that are taken, and is told how far they have come."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.sandbox.cli import sandbox
from app.sandbox.messages import MESSAGES
from claim_checker.__main__ import main as check_package
from tests.app.kit import DrainAll
from tests.app.partner import PartnerClient


def run(client: FlaskClient, *arguments: str) -> Any:
    return client.application.test_cli_runner().invoke(sandbox, list(arguments))


def made(client: FlaskClient, kind: str, folder: Path) -> tuple[str, PartnerClient]:
    """The new party's code and its program, from its files alone."""
    answer = run(client, "new", kind, "--to", str(folder))
    assert answer.exit_code == 0, answer.output
    known = json.loads((folder / "partner.json").read_text())
    assert (folder / "partner.json").stat().st_mode & 0o077 == 0
    return answer.output.split()[-1], PartnerClient(client, known["partner"], known["secret"])


def read(file: Path) -> Any:
    return json.loads(file.read_text())


def steps(client: FlaskClient, code: str) -> dict[str, bool]:
    lines = run(client, "progress", code).output.splitlines()
    return {line[4:].partition("：")[0]: line.startswith("[x]") for line in lines}


def test_a_hospital_goes_from_nothing_to_everything(client: FlaskClient, drain_all: DrainAll, tmp_path: Path) -> None:
    code, agent = made(client, "hospital", tmp_path)
    before = steps(client, code)
    assert before.pop("密钥") and not any(before.values())
    for name in ("catalogue", "record", "ledger"):
        assert run(client, "check", str(tmp_path / f"{name}.json")).output == "ok batch\n"
        agent.ok("/batches", read(tmp_path / f"{name}.json"))
    drain_all("appointment.apply_catalogue", "record.apply", "reconciliation.take_batch")
    (command,) = agent.poll()
    assert not steps(client, code)["答复指令"]
    agent.answer(command["id"], {"batch_nos": [2], "complete": True})
    assert all(steps(client, code).values()), run(client, "progress", code).output


def test_every_hospitals_sample_is_taken_untouched(client: FlaskClient, drain_all: DrainAll, tmp_path: Path) -> None:
    """An e-bill's number is given once, also in the sandbox."""
    numbers = set()
    for name in ("first", "second"):
        _, agent = made(client, "hospital", tmp_path / name)
        for batch_no, kind in enumerate(("catalogue", "record"), 1):
            agent.ok("/batches", read(tmp_path / name / f"{kind}.json") | {"batch_no": batch_no})
        drain_all("appointment.apply_catalogue", "record.apply")
        verdicts = agent.ok("/batches/verdicts", {"batch_no": 2})["rows"]
        assert {(row["verdict"], row["reason"]) for row in verdicts} == {("applied", None)}
        numbers |= {row["data"]["number"] for row in read(tmp_path / name / "record.json")["rows"]
                    if row["type"] == "e_bill"}  # fmt: skip
    assert len(numbers) == 2


def test_an_insurers_request_can_be_sent_as_it_is(client: FlaskClient, drain_all: DrainAll, tmp_path: Path) -> None:
    code, core = made(client, "insurer", tmp_path)
    assert run(client, "check", str(tmp_path / "request.json")).output == "ok request\n"
    core.ok("/requests", read(tmp_path / "request.json"))
    drain_all()
    [answer] = core.ok("/requests/answers/poll", {"cursor": 0})["answers"]
    assert (answer["request_no"], answer["outcome"], answer["code"]) == ("Q1", "refused", "claim_unknown")
    assert steps(client, code)["数据请求"]


def test_an_insurer_opens_its_package_and_sends_every_message(
    client: FlaskClient, drain_all: DrainAll, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, core = made(client, "insurer", tmp_path)
    (change,) = core.ok("/changes/poll", {"cursor": 0})["changes"]
    assert (change["type"], change["data"]["package"]) == ("claim.package", read(tmp_path / "package.json"))
    core.ok("/changes/ack", {"cursor": change["cursor"]})
    keys = ["--key", str(tmp_path / "platform-keys.json"), "--decrypt", str(tmp_path / "package-key.pem")]
    assert check_package([str(tmp_path / "package.json"), *keys]) == 0, capsys.readouterr().out
    for name in ("case_opened", "documents_requested", "adjudicated", "recovery_ended", "export_asked"):
        assert run(client, "check", str(tmp_path / f"{name}.json")).exit_code == 0
        core.ok("/messages", read(tmp_path / f"{name}.json"))
    drain_all()
    found = steps(client, code)
    assert found["签名"] and found["取变更"] and all(found[f"消息 {kind}"] for kind in MESSAGES)
    assert not found["被退回的消息"], "the sandbox has no such claim, and says so"


def test_an_earlier_partys_files_are_kept_unless_it_is_said(client: FlaskClient, tmp_path: Path) -> None:
    first, _ = made(client, "hospital", tmp_path)
    known = read(tmp_path / "partner.json")
    again = run(client, "new", "insurer", "--to", str(tmp_path))
    assert again.exit_code == 1 and "--force" in again.output
    assert read(tmp_path / "partner.json") == known and not (tmp_path / "package.json").exists()
    forced = run(client, "new", "hospital", "--to", str(tmp_path), "--force")
    assert forced.exit_code == 0 and forced.output.split()[-1] != first
    assert read(tmp_path / "partner.json") != known


def test_a_folder_of_somebody_elses_is_not_filled(client: FlaskClient, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    answer = run(client, "new", "hospital", "--to", str(tmp_path))
    assert answer.exit_code == 1
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]


def test_what_is_wrong_is_told_and_fails(client: FlaskClient, tmp_path: Path) -> None:
    made(client, "hospital", tmp_path)
    body = read(tmp_path / "record.json")
    body["rows"][3]["data"]["total_fen"] = -1
    (tmp_path / "wrong.json").write_text(json.dumps(body))
    answer = run(client, "check", str(tmp_path / "wrong.json"))
    assert answer.exit_code == 1
    assert "wrong rows[3].data.total_fen: 不得小于 0\n" in answer.output
    (tmp_path / "wrong.json").write_bytes(b"\xff\xfe")
    assert run(client, "check", str(tmp_path / "wrong.json")).exit_code == 1
    assert run(client, "progress", "NOBODY").exit_code == 1


@pytest.mark.parametrize("arguments", [("new", "hospital"), ("new", "insurer"), ("check", "-"), ("progress", "H1")])
def test_production_has_no_sandbox(client: FlaskClient, arguments: tuple[str, ...]) -> None:
    site = client.application.extensions["zhipei"]
    settings = site.runtime.settings.model_copy(update={"app_env": "production"})
    client.application.extensions["zhipei"] = replace(site, runtime=replace(site.runtime, settings=settings))
    answer = run(client, *arguments)
    assert answer.exit_code == 1 and "production" in answer.output
