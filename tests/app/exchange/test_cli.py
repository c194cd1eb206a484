from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.testing import FlaskClient
from joserfc.jwk import ECKey

from app.core.errors import Conflict
from app.core.signing import SigningKeys, read_seeds
from app.core.work import Runtime
from app.exchange import service
from app.exchange.cli import partner
from mock_partners.insurer.server import Insurer as Double
from tests.app.conftest import PARTIES
from tests.app.partner import World

OLDER = PARTIES["I1"].outbound_secret or ""


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


def test_a_signing_key_is_made_and_announced(client: FlaskClient, world: World) -> None:
    runner = client.application.test_cli_runner()
    seed, key_id = runner.invoke(partner, ["new-signing-key"]).output.split()
    site = client.application.extensions["zhipei"]
    newer = SigningKeys([*read_seeds(seed), site.runtime.privacy.signing_seed])
    client.application.extensions["zhipei"] = replace(site, runtime=replace(site.runtime, signing=newer))
    shown = json.loads(runner.invoke(partner, ["signing-keys"]).output)["keys"]
    assert [(key["key_id"], key["signs"]) for key in shown] == [
        (key_id, True), (site.runtime.signing.current.key_id, False),
    ]  # fmt: skip
    assert world.partner["I1"].ok("/keys", {})["keys"] == shown


def test_a_package_key_is_registered_for_an_insurer_only_if_it_is_public(
    client: FlaskClient, world: World, runtime: Runtime, tmp_path: Path
) -> None:
    runner, file, key = client.application.test_cli_runner(), tmp_path / "key.json", ECKey.generate_key("P-256")
    for content in ("[]", "{", json.dumps(key.as_dict(private=True))):
        file.write_text(content)
        assert runner.invoke(partner, ["package-key", "I1", str(file)]).exit_code
    file.write_text(json.dumps(key.as_dict(private=False)))
    assert runner.invoke(partner, ["package-key", "I9", str(file)]).exit_code == 1
    assert runner.invoke(partner, ["package-key", "H1", str(file)]).exit_code == 1
    assert runner.invoke(partner, ["package-key", "I1", str(file)]).output == f"{key.thumbprint()}\n"
    with runtime.read() as session:
        assert (service.package_key(session, world.party["I1"]) or {})["kid"] == key.thumbprint()
        with pytest.raises(Conflict):
            service.package_key(session, world.party["I2"])


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


def test_the_secret_of_what_we_send_is_changed_in_two_steps(
    client: FlaskClient, world: World, runtime: Runtime
) -> None:
    runner = client.application.test_cli_runner()
    made = runner.invoke(partner, ["add-outbound", "I1"])
    assert made.exit_code == 0 and made.output.startswith("whsec_")
    assert runner.invoke(partner, ["add-outbound", "I1"]).exit_code == 1
    with insurer(runtime, OLDER):
        refused = runner.invoke(partner, ["retire-outbound", "I1"])
    assert refused.exit_code == 1 and "--force" in refused.output and len(outbound(runtime, world)) == 2
    with insurer(runtime, made.output.strip()):
        assert runner.invoke(partner, ["retire-outbound", "I1"]).exit_code == 0
        assert outbound(runtime, world) == [made.output.strip()]
        assert runner.invoke(partner, ["retire-outbound", "I1"]).exit_code == 1


def test_the_older_secret_of_who_cannot_be_asked_is_retired_by_force(
    client: FlaskClient, world: World, runtime: Runtime
) -> None:
    runner = client.application.test_cli_runner()
    made = runner.invoke(partner, ["add-outbound", "I1"]).output.strip()
    assert runner.invoke(partner, ["retire-outbound", "I1"]).exit_code == 1, "nobody is at its address"
    assert outbound(runtime, world) == [made, OLDER]
    assert runner.invoke(partner, ["retire-outbound", "I1", "--force"]).exit_code == 0
    assert outbound(runtime, world) == [made]
    assert runner.invoke(partner, ["retire-outbound", "I9"]).exit_code == 1


@contextmanager
def insurer(runtime: Runtime, secret: str) -> Iterator[None]:
    """I1 at its address, believing `secret` alone."""
    entry = {"code": "I1", "partner": "I1-core", "secret": OLDER, "outbound_secret": secret}
    with Double(entry, {"exchange_url": "http://127.0.0.1:9"}) as double:
        with runtime.work() as work:
            service.put_party(work, service.NewParty("insurer", "I1", "安心健康保险", {"url": double.url}))
        yield


def outbound(runtime: Runtime, world: World) -> list[str]:
    with runtime.read() as session:
        return service.endpoint(session, runtime.privacy, world.party["I1"]).secret.split()


def test_an_unknown_program_is_told(client: FlaskClient) -> None:
    found = client.application.test_cli_runner().invoke(partner, ["add-key", "H9-agent"])
    assert found.exit_code == 1 and "whsec_" not in found.output
