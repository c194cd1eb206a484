"""The exchange at the command line."""

from __future__ import annotations

import uuid

from flask.testing import FlaskClient

from app.core.work import Runtime
from app.exchange.oversight.cli import exchange
from tests.app.exchange.kit import write
from tests.app.kit import run
from tests.app.partner import World, batch

ROW = {"type": "document", "key": "D1", "version": 1, "data": {"text": "秘密"}}


def test_the_status_says_what_is_complete_late_and_dead(client: FlaskClient, runtime: Runtime, world: World) -> None:
    world.partner["H1"].ok("/batches", batch(3, "record", [ROW]))
    write(runtime, world.party["H1"], body={"name": "秘密"})
    asked = {"request_no": "Q1", "hospital": "H2", "kind": "record.visit", "data": {"name": "秘密"}}
    world.partner["I1"].ok("/requests", asked)
    run(runtime, "UPDATE command SET created_at = now() - interval '10 minutes'")
    run(runtime, "UPDATE party SET config = config || '{\"push_url\": \"http://127.0.0.1:9\"}' WHERE code = 'I2'")
    run(runtime, "UPDATE task SET status = 'dead' WHERE kind = 'claim.forward_request'")
    told = client.application.test_cli_runner().invoke(exchange, ["status", "--date", "2026-11-21"])
    assert told.exit_code == 0, told.output
    lines = told.output.splitlines()
    assert lines[:2] == [
        "2026-11-21 H1 0.00% of 1 rows in 1 batches, 2 missing from 1",
        "2026-11-21 H2 - of 0 rows in 0 batches",
    ]
    assert lines[2].startswith("command H1 register open since ")
    assert lines[3].startswith("request Q1 I1 to H2 open until ")
    assert lines[4:] == ["push I2 at 0 of 0, 0 waiting", "dead claim.forward_request 1"]
    assert "秘密" not in told.output


def test_a_dead_task_is_done_again(client: FlaskClient, runtime: Runtime) -> None:
    subject = uuid.uuid4()
    with runtime.work() as work:
        work.later("claim.deliver", subject)
    run(runtime, "UPDATE task SET status = 'dead', last_error = 'PartnerFault: insurer: gone'")
    runner = client.application.test_cli_runner()
    (task_id,) = run(runtime, "SELECT id FROM task")[0]
    listed = f"{task_id} claim.deliver {subject} PartnerFault: insurer: gone\n"
    assert runner.invoke(exchange, ["dead"]).output == listed
    assert runner.invoke(exchange, ["dead", "--kind", "claim.verify"]).output == ""
    assert runner.invoke(exchange, ["replay", str(task_id)]).output == "due again\n"
    assert run(runtime, "SELECT status FROM task") == [("due",)]
    again = runner.invoke(exchange, ["replay", str(task_id)])
    assert again.exit_code == 1 and "no dead task" in again.output
