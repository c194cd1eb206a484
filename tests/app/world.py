"""A small world of two hospitals, two insurers, one medical insurance and one bank, as the demonstration writes it."""

from __future__ import annotations

import secrets
from base64 import b64encode
from copy import deepcopy
from functools import cache
from typing import Any

import pyotp

from mock_partners.insurer.opening import make_package_key
from mock_wechat.keys import make_app, make_merchant


def make_world() -> dict[str, Any]:
    """The same world for every test of this process; RSA keys take a second to make."""
    return deepcopy(_world())


@cache
def _world() -> dict[str, Any]:
    hospitals = [_hospital("H1", "第一医院"), _hospital("H2", "第二医院")]
    apps = [make_app(kind, owner) for owner in ("H1", "H2") for kind in ("oa", "mini")]
    public_accounts = [app["app_id"] for app in apps if app["kind"] == "oa"]
    merchants = [
        make_merchant("H1", [apps[0]["app_id"], apps[1]["app_id"]]),
        make_merchant("H2", [apps[2]["app_id"], apps[3]["app_id"]]),
        make_merchant("I1", [app["app_id"] for app in apps]),
        make_merchant("I2", public_accounts),
    ]
    return {
        "hospitals": hospitals,
        "insurers": [_insurer("I1", "甲保险"), _insurer("I2", "乙保险")],
        "medical_insurance": {"code": "M1", "name": "医保局", "n": 10, "window_s": 6, "agent": _program("M1-agent")},
        "bank": {"code": "B1", "url": "http://127.0.0.1:1", "outbound_secret": _secret(), **_program("B1-core")},
        "wechat": {"apps": apps, "merchants": merchants},
        "operators": [
            _operator("claims", "claims", None),
            _operator("approver-1", "payout_approver", "I1"),
            _operator("approver-2", "payout_approver", "I1"),
            _operator("admin", "administrator", None),
            _operator("guard", "security", None),
            _operator("auditor", "auditor", None),
        ],
    }


def _hospital(code: str, name: str) -> dict[str, Any]:
    return {"code": code, "name": name, "agent": _program(f"{code}-agent")}


def _insurer(code: str, name: str) -> dict[str, Any]:
    return {
        "code": code,
        "name": name,
        "credit_code": "91310000MA1FL0000X",
        "url": "http://127.0.0.1:1",
        "outbound_secret": _secret(),
        "package_key": make_package_key(),
        "bank_account": "6222020200011223347",
        "bank_account_name": f"{name}股份有限公司",
        "product_name": "住院医疗保险",
        "product_filing_no": f"C0000{code}2026",
        "contact": f"privacy-{code.lower()}@example.com",
        "mails": ["duty@example.com"],
        "phones": ["13900000000"],
        **_program(f"{code}-core"),
    }


def _program(partner: str) -> dict[str, str]:
    return {"partner": partner, "secret": _secret()}


def _secret() -> str:
    return "whsec_" + b64encode(secrets.token_bytes(24)).decode()


def _operator(login: str, role: str, party: str | None) -> dict[str, Any]:
    password, totp_secret = secrets.token_urlsafe(12), pyotp.random_base32()
    return {"login": login, "password": password, "totp_secret": totp_secret, "role": role, "party": party}
