"""Both ways against `standardwebhooks`, the reference library of Standard Webhooks: it verifies our messages, and we
verify its; and by Ed25519, which it does not speak, against the agent's own signature."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from standardwebhooks import Webhook, WebhookVerificationError

from app.exchange import signatures
from app.gateways.http import signed
from hospital_agent.exchange import ExchangeClient, Link
from hospital_agent.signing import PrivateKey

SECRET = "whsec_" + b64encode(b"a secret that both sides know 32").decode()
OTHER = "whsec_" + b64encode(b"a secret that nobody else has 32").decode()
BODY = {"type": "claim.case_opened", "data": {"claim_no": "CL1", "name": "张三"}}


def test_the_reference_library_verifies_our_messages() -> None:
    sent = signed(SECRET, "msg_1", BODY)
    assert Webhook(SECRET).verify(sent["content"].decode(), sent["headers"]) == BODY
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER).verify(sent["content"].decode(), sent["headers"])
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(sent["content"].decode().replace("CL1", "CL2"), sent["headers"])


def test_the_reference_library_verifies_by_either_secret_while_ours_is_changed() -> None:
    sent = signed(f"{OTHER} {SECRET}", "msg_1", BODY)
    for secret in (SECRET, OTHER):
        assert Webhook(secret).verify(sent["content"].decode(), sent["headers"]) == BODY


def test_we_verify_what_the_reference_library_signs() -> None:
    text, now = json.dumps(BODY, ensure_ascii=False), datetime.now(UTC)
    headers = _headers(now, Webhook(SECRET).sign("msg_1", now, text))
    assert signatures.is_signed_with(SECRET, headers, text)
    assert not signatures.is_signed_with(OTHER, headers, text)
    assert not signatures.is_signed_with(SECRET, headers, text.replace("CL1", "CL2"))


def test_we_verify_what_an_agent_signs_by_a_private_key() -> None:
    pair = "whsk_" + b64encode(Ed25519PrivateKey.generate().private_bytes_raw()).decode()
    headers = ExchangeClient(Link("http://127.0.0.1:9", "H1-agent", pair))._signed("msg_1", "{}")
    headers = {name.lower(): value for name, value in headers.items()}
    assert signatures.is_signed_with(PrivateKey(pair).public_key, headers, "{}")
    assert not signatures.is_signed_with(PrivateKey(pair).public_key, headers, "[]")
    assert not signatures.is_signed_with(SECRET, headers, "{}")


def _headers(at: datetime, signature: str) -> Mapping[str, str]:
    return {"webhook-id": "msg_1", "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}
