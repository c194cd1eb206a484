"""Signatures that any Standard Webhooks library accepts, and a sender that does not give up."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from mock_partners import signing
from mock_partners.double import Double
from mock_partners.signing import Caller, Sender, Unsigned, canonical, sign, verify
from tests.mock_partners.wire import SECRETS, Exchange, secret, wait_until

KEY = secret("ours")


@pytest.fixture
def double(tmp_path: Path) -> Iterator[Double]:
    with Double("sender", state_dir=tmp_path) as started:
        yield started


def sender(double: Double, exchange: Exchange) -> Sender:
    made = Sender(double, Caller(exchange.url, "I1-core", SECRETS["I1-core"]))
    made.start()
    return made


def test_what_is_signed_here_is_verified_by_the_library_and_the_other_way_round() -> None:
    headers = sign(KEY, '{"a":"中"}', "msg_1")
    Webhook(KEY).verify('{"a":"中"}', headers)
    assert verify(KEY, '{"a":"中"}', {name.title(): value for name, value in headers.items()}) == "msg_1"


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "msg_2"},
        {"webhook-id": ""},
        {"webhook-timestamp": str(int(time.time()) - 400)},
        {"webhook-timestamp": "now"},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,*"},
        {"webhook-signature": "v1,é"},
        {"webhook-signature": ""},
    ],
)
def test_every_other_signature_is_refused(change: dict[str, str]) -> None:
    headers = {**sign(KEY, "{}", "msg_1"), **change}
    with pytest.raises(Unsigned):
        verify(KEY, "{}", headers)


def test_an_old_message_rightly_signed_is_refused() -> None:
    headers = sign(KEY, "{}", "msg_1")
    old = int(headers["webhook-timestamp"]) - 301
    with pytest.raises(Unsigned):
        verify(KEY, "{}", {**headers, "webhook-timestamp": str(old)})


def test_the_pause_named_by_the_platform_is_kept(double: Double, exchange: Exchange) -> None:
    exchange.fail("/messages", status=429, headers={"Retry-After": "1"})
    sending, begun = sender(double, exchange), time.monotonic()
    sending.post("claim.case_opened", "CL1", {"claim_no": "CL1"})
    exchange.wait_for("claim.case_opened")
    assert time.monotonic() - begun >= 1
    sending.stop()


def test_messages_wait_for_a_platform_that_is_away_and_survive_a_restart(
    exchange: Exchange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing, "FIRST_RETRY_S", 0.05)
    exchange.fail("/messages", drop="before", times=3)
    first = Double("sender", state_dir=tmp_path)
    sending = sender(first, exchange)
    message_id = sending.post("claim.case_opened", "CL1", {"claim_no": "CL1"})
    wait_until(lambda: any(fault.times < 3 for fault in exchange.faults))
    sending.stop()
    first.stop()
    second = Double("sender", state_dir=tmp_path)
    sending = sender(second, exchange)
    exchange.wait_for("claim.case_opened")
    wait_until(sending.idle)
    assert [taken[0] for taken in exchange.taken] == [message_id]
    assert [row["status"] for row in second.table("sent").values()] == [202]
    sending.stop()
    second.stop()


def test_messages_about_one_subject_stay_in_order(double: Double, exchange: Exchange) -> None:
    sending = sender(double, exchange)
    for number in range(20):
        sending.post(f"step.{number}", "CL1", {})
    wait_until(sending.idle)
    assert [taken[1] for taken in exchange.taken] == [f"step.{number}" for number in range(20)]
    sending.stop()


def test_canonical_json_has_one_form() -> None:
    assert canonical({"b": [1, "中"], "a": None}) == '{"a":null,"b":[1,"中"]}'.encode()
