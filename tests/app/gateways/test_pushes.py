"""Pushes against the insurer's double: what is signed, and what each failure is known to mean."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.errors import PartnerFault
from app.gateways.http import Http
from app.gateways.pushes import Pushes
from mock_partners.insurer.server import Insurer as Double
from tests.app.gateways.insurer.test_dialects import At, double, entry

__all__ = ["double", "entry"]  # imported for what they prepare
CHANGE = {"cursor": 1, "type": "claim.payout", "data": {"name": "张三"}}


@pytest.fixture
def address(double: Double, entry: dict[str, Any]) -> At:
    return At(f"{double.url}/v1/changes", entry["outbound_secret"])


@pytest.fixture
def pushes() -> Pushes:
    return Pushes(Http("pushes", 0.5))


def test_a_change_is_taken_once_under_its_id(pushes: Pushes, address: At, double: Double) -> None:
    for _ in range(2):
        pushes.send(address, "m1", CHANGE)
    assert double.feed.pushed() == {"m1": CHANGE}


@pytest.mark.parametrize(
    ("fault", "code", "permanent", "unknown"),
    [
        ({"status": 410}, "http_410", True, False),
        ({"status": 401}, "http_401", False, True),
        ({"status": 404}, "http_404", False, True),
        ({"status": 422, "body": {"code": "malformed"}}, "malformed", False, True),
        ({"status": 302}, "http_302", False, True),
        ({"status": 503}, "http_503", False, True),
        ({"drop": "before"}, None, False, True),
        ({"delay_s": 1.0}, "ReadTimeout", False, True),
    ],
)
def test_only_who_is_gone_is_not_asked_again(
    pushes: Pushes,
    address: At,
    double: Double,
    fault: dict[str, Any],
    code: str | None,
    permanent: bool,
    unknown: bool,
) -> None:
    double.fail("/v1/changes", **fault)
    with pytest.raises(PartnerFault) as raised:
        pushes.send(address, "m1", CHANGE)
    assert (raised.value.permanent, raised.value.unknown) == (permanent, unknown)
    assert code in (None, raised.value.code)
    assert "张三" not in str(raised.value) and address.secret not in repr(address)


def test_two_secrets_sign_while_one_is_changed(pushes: Pushes, address: At, double: Double) -> None:
    other = "whsec_" + "Zm9y" * 8
    pushes.send(At(address.url, f"{other} {address.secret}"), "m1", CHANGE)
    with pytest.raises(PartnerFault, match="signature_invalid"):
        pushes.send(At(address.url, other), "m2", CHANGE)
    assert list(double.feed.pushed()) == ["m1"]
