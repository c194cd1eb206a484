from __future__ import annotations

from flask.testing import FlaskClient

from app.exchange.cli import partner
from tests.app.partner import World


def test_a_key_is_made_used_and_the_old_one_retired(client: FlaskClient, world: World) -> None:
    runner = client.application.test_cli_runner()
    agent = world.partner["H1"]
    made = runner.invoke(partner, ["add-key", "H1-agent"])
    assert made.exit_code == 0 and made.output.startswith("whsec_")
    secret = made.output.strip()
    assert agent.post("/commands/poll", {"max": 1}, secret=secret).status_code == 200
    assert agent.post("/commands/poll", {"max": 1}).status_code == 200
    assert runner.invoke(partner, ["add-key", "H1-agent"]).exit_code == 1
    assert runner.invoke(partner, ["retire-key", "H1-agent"]).exit_code == 0
    assert agent.post("/commands/poll", {"max": 1}).status_code == 401
    assert agent.post("/commands/poll", {"max": 1}, secret=secret).status_code == 200
    assert runner.invoke(partner, ["retire-key", "H1-agent"]).exit_code == 1


def test_an_unknown_program_is_told(client: FlaskClient) -> None:
    found = client.application.test_cli_runner().invoke(partner, ["add-key", "H9-agent"])
    assert found.exit_code == 1 and "whsec_" not in found.output
