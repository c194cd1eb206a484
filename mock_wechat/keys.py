"""Entries for a world: an account or merchant with fresh secrets and RSA keys."""

from __future__ import annotations

import base64
import secrets
import string
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

KEY_BITS = 2048
ALPHANUMERIC = string.ascii_letters + string.digits


def make_app(kind: str, owner: str, **more: Any) -> dict[str, Any]:
    """An `apps` entry of the world for `kind` "oa" or "mini". `more` sets or replaces fields (callback_url, …)."""
    if kind not in ("oa", "mini"):
        raise ValueError("kind is 'oa' or 'mini'")
    return {
        "app_id": "wx" + secrets.token_hex(8),
        "kind": kind,
        "owner": owner,
        "secret": secrets.token_hex(16),
        "token": _text(24),
        "aes_key": base64.b64encode(secrets.token_bytes(32)).decode()[:43],
        "mode": "safe",
        "original_id": "gh_" + secrets.token_hex(6),
        "callback_url": "",
        "domain": "",
        "templates": {},
        **more,
    }


def make_merchant(owner: str, app_ids: list[str], **more: Any) -> dict[str, Any]:
    """A `merchants` entry of the world with two RSA key pairs: the merchant's own and WeChat's for this merchant."""
    own_private, own_public = make_key_pair()
    wechat_private, wechat_public = make_key_pair()
    return {
        "mchid": "1" + _digits(9),
        "owner": owner,
        "app_ids": list(app_ids),
        "serial_no": secrets.token_hex(20).upper(),
        "private_key_pem": own_private,
        "public_key_pem": own_public,
        "apiv3_key": _text(32),
        "wechat_public_key_id": "PUB_KEY_ID_0" + _digits(39),
        "wechat_public_key_pem": wechat_public,
        "wechat_private_key_pem": wechat_private,
        "balance_fen": 100_000_000,
        **more,
    }


def make_key_pair() -> tuple[str, str]:
    """A private key (PKCS #8) and its public key as PEM texts."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


def make_template_id() -> str:
    """A template id as the console shows it: 43 characters."""
    return secrets.token_urlsafe(32)


def _digits(count: int) -> str:
    return "".join(secrets.choice(string.digits) for _ in range(count))


def _text(count: int) -> str:
    return "".join(secrets.choice(ALPHANUMERIC) for _ in range(count))
