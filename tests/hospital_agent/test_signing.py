"""The agent's two ways to sign: what the exchange makes of them is tested in tests/app/exchange/test_two_way.py."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from hospital_agent.errors import ConfigError
from hospital_agent.signing import PrivateKey, signer

# https://github.com/svix/svix-webhooks, server/svix-server/src/worker.rs
PRIVATE = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
PUBLIC = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
AT = datetime.fromtimestamp(1_614_265_330, UTC)


def test_a_private_key_signs_as_published() -> None:
    signature = signer(PRIVATE).sign("msg_p5jXN8AQM9LWM0D4loKWxJek", AT, '{"test": 2432232314}')
    assert signature == ("v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==")
    assert PrivateKey(PRIVATE).public_key == PUBLIC


def test_the_seed_alone_is_enough() -> None:
    seed = b64encode(bytes(range(32))).decode()
    assert PrivateKey("whsk_" + seed).sign("M1", AT, "{}") == PrivateKey(seed).sign("M1", AT, "{}")


def test_a_shared_secret_signs_as_the_reference_library_does() -> None:
    secret = "whsec_" + "c2VjcmV0" * 4
    assert signer(secret).sign("M1", AT, "{}") == Webhook(secret).sign("M1", AT, "{}")


@pytest.mark.parametrize(
    "wrong",
    [
        "whsk_",
        "whsk_AAAA",
        "whsk_%",
        "whsk_直赔",
        "whsk_" + b64encode(bytes(64)).decode(),
        "whsec_",
        "whsec_é",
        "whsec_a",
    ],
)
def test_what_is_no_key_is_named(wrong: str) -> None:
    with pytest.raises(ConfigError, match="whsk_"):
        signer(wrong)
