"""Ed25519 signatures of Standard Webhooks, against the vector that Svix publishes, and what is malformed."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.exchange import signatures

# https://github.com/svix/svix-webhooks, server/svix-server/src/worker.rs
PRIVATE = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
PUBLIC = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
BODY = '{"test": 2432232314}'
AT_S = 1_614_265_330
HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": str(AT_S),
    "webhook-signature": "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==",
}


@pytest.fixture(autouse=True)
def then(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """The published message was signed long ago; `then(3)` is three seconds after it."""

    def at(later_s: float) -> None:
        monkeypatch.setattr(signatures.time, "time", lambda: AT_S + later_s)

    at(0)
    return at


def test_the_published_vector_is_verified() -> None:
    assert signatures.is_signed_with(PUBLIC, HEADERS, BODY)
    assert not signatures.is_signed_with(PUBLIC, HEADERS, BODY + " ")


@pytest.mark.parametrize(("later_s", "well"), [(300, True), (301, False), (-300, True), (-301, False)])
def test_a_clock_may_be_five_minutes_wrong(then: Callable[[float], None], later_s: float, well: bool) -> None:
    then(later_s)
    assert signatures.is_signed_with(PUBLIC, HEADERS, BODY) is well


def test_one_right_signature_among_others_is_enough() -> None:
    right = HEADERS["webhook-signature"]
    for others in (f"v1,AAAA {right}", f"v1a,AAAA {right}", f"v1a,%% {right} v9,x", f"{right} {right}"):
        assert signatures.is_signed_with(PUBLIC, HEADERS | {"webhook-signature": others}, BODY), others


@pytest.mark.parametrize(
    "wrong",
    [
        {"webhook-signature": ""},
        {"webhook-signature": "v1a,"},
        {"webhook-signature": "v1a"},
        {"webhook-signature": HEADERS["webhook-signature"].replace("v1a", "v1")},
        {"webhook-signature": "v1a,直赔"},
        {"webhook-id": ""},
        {"webhook-id": "msg_other"},
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "nan"},
        {"webhook-timestamp": "1e400"},
        {"webhook-timestamp": f" {AT_S}"},
        {"webhook-timestamp": "1" * 400},
        {"webhook-timestamp": str(AT_S + 1)},
    ],
)
def test_what_is_malformed_is_not_signed(wrong: dict[str, str]) -> None:
    assert not signatures.is_signed_with(PUBLIC, HEADERS | wrong, BODY)
    missing = {name: value for name, value in HEADERS.items() if name not in wrong}
    assert not signatures.is_signed_with(PUBLIC, missing, BODY)


def test_another_s_key_does_not_verify() -> None:
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    assert not signatures.is_signed_with("whpk_" + b64encode(other).decode(), HEADERS, BODY)


@pytest.mark.parametrize(
    ("key", "usable"),
    [
        (PUBLIC, True),
        ("whsec_" + "c2Vj" * 8, True),
        (PRIVATE, False),
        ("whpk_", False),
        ("whpk_AAAA", False),
        ("whpk_%%%", False),
        ("whpk_" + PRIVATE.removeprefix("whsk_"), False),
        ("whsec_", False),
        ("whsec_直赔", False),
        ("", False),
    ],
)
def test_what_can_verify_is_a_key(key: str, usable: bool) -> None:
    assert signatures.is_usable(key) is usable
