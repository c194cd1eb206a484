"""The accounts and merchants of the world, read once from `world["wechat"]`."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

MODES = ("plain", "compatible", "safe")


@dataclass
class App:
    """One official account (`kind="oa"`) or mini-program (`kind="mini"`).

    `templates` maps the owner's names to template ids; a value may also be `{"id": …, "fields": […]}`, then exactly
    these fields are demanded. Apps with the same `open_platform` see the same unionid of a person.
    `ip_whitelist` is empty for "any address".
    """

    app_id: str
    kind: str
    owner: str
    secret: str
    token: str
    aes_key: str
    mode: str
    original_id: str
    callback_url: str = ""
    domain: str = ""
    templates: dict[str, Any] = field(default_factory=dict)
    name: str = ""
    open_platform: str = "default"
    ip_whitelist: list[str] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)

    def template_fields(self, template_id: str) -> list[str] | None:
        """The fields that a template demands, [] if it does not say; None if there is no such template."""
        for template in self.templates.values():
            if template == template_id:
                return []
            if isinstance(template, dict) and template["id"] == template_id:
                return list(template.get("fields", []))
        return None


@dataclass
class Merchant:
    """One merchant number with its keys; WeChat holds the merchant's public key and a private key of its own.

    `ip_whitelist` (empty for "any address") holds for transfers.
    """

    mchid: str
    owner: str
    app_ids: list[str]
    serial_no: str
    public_key_pem: str
    apiv3_key: str
    wechat_public_key_id: str
    wechat_private_key_pem: str
    balance_fen: int = 0
    ip_whitelist: list[str] = field(default_factory=list)

    @cached_property
    def merchant_key(self) -> RSAPublicKey:
        return cast(RSAPublicKey, load_pem_public_key(self.public_key_pem.encode()))

    @cached_property
    def wechat_key(self) -> RSAPrivateKey:
        # The check takes 0.1 s, and the key is one that the world has just made.
        pem = self.wechat_private_key_pem.encode()
        return cast(RSAPrivateKey, load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True))


def _known(kind: type, entry: dict[str, Any]) -> dict[str, Any]:
    names = {f.name for f in fields(kind)}
    return {name: value for name, value in entry.items() if name in names}


def read_app(entry: dict[str, Any]) -> App:
    app = App(**_known(App, entry))
    if app.mode not in MODES:
        raise ValueError(f"unknown callback mode {app.mode!r} of {app.app_id}")
    return app


def read_merchant(entry: dict[str, Any]) -> Merchant:
    return Merchant(**_known(Merchant, entry))
