"""The native dialect and what all dialects share, against the double: what is signed, what each failure means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest

from app.core.errors import PartnerFault
from app.exchange import service as exchange
from app.gateways.http import Http
from app.gateways.insurer.dialects import Insurer
from mock_partners.insurer.server import Insurer as Double
from tests.app.world import make_world

QUESTION = {
    "request_no": "r1",
    "hospital_code": "H1",
    "person": {"name": "张三", "document_type": "id_card", "document_no": "1", "birth_date": "1990-01-01"},
    "on": "2026-11-21",
    "bills": [],
}


@dataclass(frozen=True)
class At:
    url: str
    secret: str = field(repr=False)
    code: str = "I1"
    dialect: str = "native"


@pytest.fixture(scope="module")
def entry() -> dict[str, Any]:
    found: dict[str, Any] = make_world()["insurers"][0]
    return found


@pytest.fixture
def double(entry: dict[str, Any]) -> Iterator[Double]:
    double = Double(entry, {"exchange_url": "http://127.0.0.1:9"})
    double.start()
    yield double
    double.stop()


@pytest.fixture
def at(double: Double, entry: dict[str, Any]) -> At:
    return At(double.url, entry["outbound_secret"])


@pytest.fixture
def client() -> Insurer:
    return Insurer(Http("insurer", 0.5))


def test_a_signed_question_is_answered(client: Insurer, at: At) -> None:
    assert client.eligibility(at, "m1", QUESTION) == {"insured": False, "policies": []}


def test_a_wrong_secret_is_no_refusal_of_what_was_asked(client: Insurer, at: At) -> None:
    with pytest.raises(PartnerFault) as raised:
        client.eligibility(At(at.url, "whsec_" + "Zm9y" * 8), "m1", QUESTION)
    assert (raised.value.code, raised.value.permanent) == ("signature_invalid", False)


@pytest.mark.parametrize(
    ("fault", "code", "permanent", "unknown"),
    [
        ({"drop": "before"}, None, False, True),
        ({"drop": "after"}, None, False, True),
        ({"delay_s": 1.0}, "ReadTimeout", False, True),
        ({"status": 500}, "http_500", False, True),
        ({"status": 503, "body": {"code": "busy"}}, "busy", False, True),
        ({"status": 302, "headers": {"Location": "http://127.0.0.1:9"}}, "http_302", False, True),
        ({"status": 200, "body": "<html>"}, "not_json", False, True),
        ({"status": 429}, "http_429", False, False),
        ({"status": 408}, "http_408", False, True),
        ({"status": 422, "body": {"code": "package_invalid"}}, "package_invalid", True, False),
        ({"status": 409, "body": {"code": "already_decided"}}, "already_decided", True, False),
        ({"status": 400, "body": {"code": "malformed"}}, "malformed", True, False),
        ({"status": 400, "body": "<html>"}, "http_400", False, False),
        ({"status": 422}, "http_422", False, False),
        ({"status": 401, "body": {"code": "signature_invalid"}}, "signature_invalid", False, False),
        ({"status": 403}, "http_403", False, False),
        ({"status": 404, "body": {"code": "not_found"}}, "not_found", False, False),
        ({"status": 413}, "http_413", False, False),
        ({"status": 425}, "http_425", False, False),
    ],
)
def test_what_a_failure_is_known_to_mean(
    client: Insurer, at: At, double: Double, fault: dict[str, Any], code: str | None, permanent: bool, unknown: bool
) -> None:
    double.fail("/v1/claims$", **fault)
    with pytest.raises(PartnerFault) as raised:
        client.deliver(at, "m1", {"claim_no": "C1", "policy_no": "P1", "package": {}})
    assert (raised.value.permanent, raised.value.unknown) == (permanent, unknown)
    assert code in (None, raised.value.code)


def test_nobody_there_means_nothing_was_sent(client: Insurer, at: At) -> None:
    with pytest.raises(PartnerFault) as raised:
        client.tell(At("http://127.0.0.1:9", at.secret), "m1", "C1", "acceptance", {})
    assert (raised.value.code, raised.value.permanent, raised.value.unknown) == ("not_reached", False, False)


def test_what_is_told_of_a_claim_goes_to_its_own_address(client: Insurer, at: At, double: Double) -> None:
    for what in ("documents", "appeal", "acceptance", "withdrawal", "payout"):
        with pytest.raises(PartnerFault, match="claim_unknown"):
            client.tell(at, "m1", "C1", what, {})
    assert [entry["path"] for entry in double.journal] == [
        f"/v1/claims/C1/{what}" for what in ("documents", "appeal", "acceptance", "withdrawal", "payout")
    ]


def test_the_totals_of_a_ledger_are_its_insurer_s_own_words(client: Insurer, at: At, double: Double) -> None:
    with pytest.raises(PartnerFault, match="not_found"):
        client.ledger_totals(at, "m1", date(2026, 11, 21))
    double.book.settings.ledger_totals = True
    assert client.ledger_totals(at, "m1", date(2026, 11, 21)).keys() == {"count", "amount_fen", "sha256"}


def test_the_ledger_is_signed_by_its_query(client: Insurer, at: At, double: Double) -> None:
    text = client.ledger(at, "m1", date(2026, 11, 21)).decode()
    assert text.splitlines()[-1].startswith("#TRAILER,0,0,")
    double.book.settings.ledger_not_ready.append("2026-11-22")
    with pytest.raises(PartnerFault, match="ledger_not_ready"):
        client.ledger(at, "m1", date(2026, 11, 22))


def test_every_dialect_that_an_insurer_may_be_said_to_speak_has_its_client(client: Insurer) -> None:
    assert set(client.dialects) == set(exchange.DIALECTS)


def test_an_insurer_that_tells_by_itself_is_not_asked(client: Insurer, at: At, double: Double) -> None:
    assert not client.is_asked(at)
    assert client.news(at, "m1", {"claim_no": "C1", "lines": {}}) == [] and double.journal == []


def test_no_secret_and_no_person_stand_in_what_may_be_logged(client: Insurer, at: At) -> None:
    with pytest.raises(PartnerFault) as raised:
        client.tell(at, "m1", "C1", "appeal", {"reason": "张三"})
    assert at.secret not in repr(at) and "张三" not in str(raised.value)
