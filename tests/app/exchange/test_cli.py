from __future__ import annotations

from base64 import b64encode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
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


def test_a_partner_brings_the_public_half_of_a_pair_of_its_own(client: FlaskClient, world: World) -> None:
    pair = Ed25519PrivateKey.generate()
    public_key = "whpk_" + b64encode(pair.public_key().public_bytes_raw()).decode()
    runner = client.application.test_cli_runner()
    taken = runner.invoke(partner, ["add-key", "H1-agent", "--public", public_key])
    assert (taken.exit_code, taken.output) == (0, f"{public_key}\n")
    headers = world.partner["H1"].headers("{}")
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{{}}".encode()
    headers["webhook-signature"] = f"v1a,{b64encode(pair.sign(signed)).decode()}"
    assert client.post("/exchange/v1/commands/poll", data="{}", headers=headers).status_code == 200
    wrong = runner.invoke(partner, ["add-key", "H2-agent", "--public", "whpk_AAAA"])
    assert wrong.exit_code == 1 and "whpk_AAAA" not in wrong.output


def test_the_secret_of_what_we_send_is_changed_in_two_steps(client: FlaskClient, world: World) -> None:
    runner = client.application.test_cli_runner()
    made = runner.invoke(partner, ["add-outbound", "I1"])
    assert made.exit_code == 0 and made.output.startswith("whsec_")
    assert runner.invoke(partner, ["add-outbound", "I1"]).exit_code == 1
    assert runner.invoke(partner, ["retire-outbound", "I1"]).exit_code == 0
    assert runner.invoke(partner, ["retire-outbound", "I1"]).exit_code == 1


def test_an_unknown_program_is_told(client: FlaskClient) -> None:
    found = client.application.test_cli_runner().invoke(partner, ["add-key", "H9-agent"])
    assert found.exit_code == 1 and "whsec_" not in found.output
