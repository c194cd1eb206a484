from __future__ import annotations

import base64
from typing import Any

import pytest
from standardwebhooks import Webhook

from app.core.errors import Conflict, Invalid, NotFound
from app.core.work import Runtime
from app.exchange import service
from app.gateways import http
from tests.app.kit import run, value
from tests.app.partner import PartnerClient, World

SECRET = "whsec_" + base64.b64encode(b"another secret of 32 bytes in all").decode()


@pytest.fixture
def agent(world: World) -> PartnerClient:
    return world.partner["H1"]


WRONG: dict[str, dict[str, Any]] = {
    "secret": {"secret": SECRET},
    "too old": {"age_s": 301},
    "too new": {"age_s": -310},
    "nobody": {"Zhipei_Partner": "H9-agent"},
    "somebody else": {"Zhipei_Partner": "H2-agent"},
    "no partner": {"Zhipei_Partner": ""},
    "a long partner": {"Zhipei_Partner": "x" * 5000},
    "a partner with quotes": {"Zhipei_Partner": "H1-agent' OR 1=1 --"},
    "no id": {"webhook_id": ""},
    "another id": {"webhook_id": "msg_2"},
    "an id with a full stop": {"message_id": "msg.1"},
    "no time": {"webhook_timestamp": ""},
    "no number as time": {"webhook_timestamp": "noon"},
    "not a number as time": {"webhook_timestamp": "nan"},
    "endless time": {"webhook_timestamp": "1e400"},
    "no signature": {"webhook_signature": ""},
    "no version": {"webhook_signature": "abc"},
    "no base64": {"webhook_signature": "v1,%%%"},
    "odd base64": {"webhook_signature": "v1,a"},
    "many commas": {"webhook_signature": "v1,a,b,c"},
    "other letters": {"webhook_signature": "v1,直赔".encode().decode("latin-1")},
    "an empty signature": {"webhook_signature": "v1,"},
    "another version": {"webhook_signature": "v2,AAAA"},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_whoever_does_not_sign_rightly_is_refused(agent: PartnerClient, wrong: dict[str, Any]) -> None:
    answer = agent.post("/commands/poll", {"max": 1, "wait_ms": 0}, **wrong)
    assert (answer.status_code, answer.json["code"]) == (401, "signature_invalid")
    assert set(answer.json) >= {"code", "message", "request_id"}


def test_the_signature_covers_the_body(agent: PartnerClient) -> None:
    headers = agent.headers('{"max": 1}')
    assert agent.client.post("/exchange/v1/commands/poll", data='{"max": 1}', headers=headers).status_code == 200
    assert agent.client.post("/exchange/v1/commands/poll", data='{"max": 2}', headers=headers).status_code == 401


def test_a_clock_may_be_five_minutes_wrong(agent: PartnerClient) -> None:
    for age_s in (295, -295):
        assert agent.post("/commands/poll", {"max": 1}, age_s=age_s).status_code == 200


def test_a_key_is_changed_without_a_pause(runtime: Runtime, agent: PartnerClient) -> None:
    with runtime.work() as work:
        partner_id = service.partner_by_code(work.session, "H1-agent").id
        service.add_key(work, partner_id, SECRET)
    for secret in (agent.secret, SECRET):
        assert agent.post("/commands/poll", {"max": 1}, secret=secret).status_code == 200
    with pytest.raises(Conflict), runtime.work() as work:
        service.add_key(work, partner_id, SECRET)
    with runtime.work() as work:
        service.retire_oldest_key(work, partner_id)
    assert agent.post("/commands/poll", {"max": 1}).status_code == 401
    assert agent.post("/commands/poll", {"max": 1}, secret=SECRET).status_code == 200
    with pytest.raises(Conflict), runtime.work() as work:
        service.retire_oldest_key(work, partner_id)


def test_a_key_that_was_retired_does_not_come_back_with_the_world(runtime: Runtime, agent: PartnerClient) -> None:
    with runtime.work() as work:
        partner = service.partner_by_code(work.session, "H1-agent")
        service.add_key(work, partner.id, SECRET)
        service.retire_oldest_key(work, partner.id)
        service.put_partner(work, partner.party_id, "H1-agent", agent.secret)
    assert agent.post("/commands/poll", {"max": 1}).status_code == 401


@pytest.mark.parametrize("key", ["", "whsk_" + "AAAA" * 11, "whpk_AAAA", "whsec_"])
def test_what_cannot_verify_is_no_key(runtime: Runtime, world: World, key: str) -> None:
    with pytest.raises(Invalid, match="key_malformed"), runtime.work() as work:
        service.add_key(work, service.partner_by_code(work.session, "H1-agent").id, key)


def test_what_we_send_is_signed_twice_while_a_secret_is_changed(runtime: Runtime, world: World) -> None:
    def secrets() -> list[str]:
        with runtime.read() as session:
            return service.endpoint(session, runtime.privacy, world.party["I1"]).secret.split()

    (before,) = secrets()
    with runtime.work() as work:
        service.add_outbound_secret(work, world.party["I1"], SECRET)
    assert secrets() == [SECRET, before]
    headers = http.sign(" ".join(secrets()), "m1", "{}")
    for secret in (SECRET, before):
        assert Webhook(secret).verify("{}", headers) == {}
    with pytest.raises(Conflict, match="two_keys_live"), runtime.work() as work:
        service.add_outbound_secret(work, world.party["I1"], SECRET)
    with runtime.work() as work:
        service.retire_outbound_secret(work, world.party["I1"])
        service.put_party(work, service.NewParty("insurer", "I1", "保险", {"url": "http://127.0.0.1:9"}, before))
    assert secrets() == [SECRET]
    with pytest.raises(Conflict, match="last_key"), runtime.work() as work:
        service.retire_outbound_secret(work, world.party["I1"])
    with pytest.raises(Invalid), runtime.work() as work:
        service.add_outbound_secret(work, world.party["I1"], "whpk_" + SECRET.removeprefix("whsec_"))


def test_secrets_are_sealed(runtime: Runtime, world: World) -> None:
    secret = world.partner["H1"].secret
    assert value(runtime, "SELECT count(*) FROM partner_key WHERE secret_sealed LIKE '%' || :s || '%'", s=secret) == 0
    sealed = run(runtime, "SELECT outbound_secret_sealed FROM party WHERE outbound_secret_sealed IS NOT NULL")
    assert len(sealed) == 3 and all("whsec" not in row[0] for row in sealed)


def test_parties_are_put_again_without_doubling(runtime: Runtime, world: World) -> None:
    with runtime.work() as work:
        again = service.put_party(work, service.NewParty("hospital", "H1", "市第一人民医院东院", {"a": 1}))
        service.put_partner(work, again, "H1-agent", world.partner["H1"].secret)
    assert again == world.party["H1"]
    assert value(runtime, "SELECT count(*) FROM partner_key") == 6
    with runtime.read() as session:
        assert service.party_by_code(session, "H1").config == {"a": 1}
        assert [party.code for party in service.parties(session, "hospital")] == ["H1", "H2"]
        with pytest.raises(NotFound):
            service.party_by_code(session, "H9")


def test_where_to_call_a_party_is_known_for_those_that_can_be_called(runtime: Runtime, world: World) -> None:
    with runtime.read() as session:
        endpoint = service.endpoint(session, runtime.privacy, world.party["I1"])
        assert endpoint.url == "http://127.0.0.1:9" and endpoint.secret.startswith("whsec_")
        with pytest.raises(NotFound):
            service.endpoint(session, runtime.privacy, world.party["H1"])
