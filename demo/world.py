"""Who exists in the demonstration, made once for each data directory: owners, secrets, keys, operators, addresses.

`make` invents what never changes again; `settle` puts in the addresses, which change when a port is taken by somebody
else. The file is read by the doubles, by the seed command and by the writer of the agents' configurations.
"""

from __future__ import annotations

import os
import secrets
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import pyotp

from app.core.local_server import free_port, is_free
from app.core.privacy import Privacy
from app.core.signing import SigningKey
from app.notification.rules import TEMPLATES
from demo.numbers import with_luhn
from mock_partners.his.fill import hospital_url
from mock_partners.insurer.opening import make_package_key
from mock_wechat.keys import make_app, make_merchant, make_template_id

World = dict[str, Any]
SEED = 1
TRIALS_PER_WINDOW, WINDOW_S = 10, 6
HOSPITALS = {"H1": "市第一人民医院", "H2": "市中医医院"}
INSURERS = {"I1": "安心健康保险", "I2": "长宁人寿保险"}
INSURER_DIALECTS = {"I1": "native", "I2": "native"}
# Three ways of a callback server are in use among real public accounts; two of them here, plain in the tests.
CALLBACK_MODES = {"H1": "safe", "H2": "compatible"}
# Pauses between WeChat's notifications are shortened, a day's bills are ready at once.
WECHAT_SETTINGS = {"ladder_factor": 0.02, "bills_wait": False}
PLATFORM_ROLES = ("claims", "finance", "administrator", "security", "auditor")
APPROVERS = 2
SERVICES = ("wechat", "sms", "mail", "e_bill_authority")
LOCAL = "http://127.0.0.1"


@dataclass(frozen=True)
class Filling:
    """What the day is played on: the business date and the source of the hospitals' data."""

    business_date: date
    dialect: str
    patients: int


def new_master_key() -> str:
    return f"demo:{b64encode(os.urandom(32)).decode()}"


def make(filling: Filling, master_key: str) -> World:
    """Everybody, with fresh secrets. Takes a few seconds, because RSA keys do."""
    apps = [_app(kind, owner) for owner in HOSPITALS for kind in ("oa", "mini")]
    return {
        "id": secrets.token_hex(8),
        "seed": SEED,
        "business_date": filling.business_date.isoformat(),
        "dialect": filling.dialect,
        "patients": filling.patients,
        "platform": {
            "mails": ["finance@example.com"],
            "phones": ["13700000001"],
            "package_public_keys": _package_keys(master_key),
        },
        "hospitals": [_hospital(code, apps, filling.dialect) for code in HOSPITALS],
        "insurers": [_insurer(number, code) for number, code in enumerate(INSURERS, 1)],
        "medical_insurance": {
            "code": "M1",
            "name": "市医疗保障局",
            "agent": _program("M1-agent"),
            "n": TRIALS_PER_WINDOW,
            "window_s": WINDOW_S,
        },
        "bank": {"code": "B1", "name": "城市商业银行", "outbound_secret": _secret(), **_program("B1-core")},
        "e_bill_authority": {"key": secrets.token_urlsafe(24)},
        "sms": {"key": secrets.token_urlsafe(24)},
        "mail": {"key": secrets.token_urlsafe(24), "from": "zhipei@example.com"},
        "wechat": {
            "settings": {**WECHAT_SETTINGS, "business_date": filling.business_date.isoformat()},
            "apps": apps,
            "merchants": _merchants(apps),
        },
        "operators": _operators(),
        "ports": {},
    }


def settle(world: World, database_url: str) -> None:
    """Give everybody an address: the last port where it is still free. `database_url` is where the HIS stand."""
    names = ["web", "exchange", *SERVICES]
    names += [party["code"] for party in (*world["hospitals"], *world["insurers"])]
    names += [world["medical_insurance"]["code"], world["bank"]["code"]]
    ports = _ports(names, world["ports"])
    world["ports"] = ports
    url = {name: f"{LOCAL}:{port}" for name, port in ports.items()}
    world["platform"] |= {"public_url": url["web"], "exchange_url": url["exchange"]}
    for hospital in world["hospitals"]:
        his_database = hospital_url(database_url, world["dialect"], hospital["code"])
        hospital |= {"his_url": url[hospital["code"]], "his_database_url": his_database}
    for party in (*world["insurers"], world["medical_insurance"], world["bank"]):
        party["url"] = url[party["code"]]
    for name in SERVICES:
        world[name]["url"] = url[name]
    for app in world["wechat"]["apps"]:
        app["callback_url"] = f"{url['web']}/wechat/callback/{app['app_id']}" if app["kind"] == "oa" else ""
        app["domain"] = urlsplit(url["web"]).netloc


def app_of(world: Mapping[str, Any], owner: str, kind: str) -> World:
    """The public account ("oa") or mini-program ("mini") of a hospital."""
    found: World = next(app for app in world["wechat"]["apps"] if (app["owner"], app["kind"]) == (owner, kind))
    return found


def _ports(names: list[str], last: Mapping[str, int]) -> dict[str, int]:
    chosen: dict[str, int] = {}
    for name in names:
        port = last.get(name, 0)
        while not port or port in chosen.values() or not is_free(port):
            port = free_port()
        chosen[name] = port
    return chosen


def _app(kind: str, owner: str) -> World:
    templates = {key: make_template_id() for key in TEMPLATES}
    name = HOSPITALS[owner] + ("" if kind == "oa" else "小程序")
    return make_app(kind, owner, name=name, mode=CALLBACK_MODES[owner], templates=templates)


def _hospital(code: str, apps: list[World], dialect: str) -> World:
    return {
        "code": code,
        "name": HOSPITALS[code],
        "his_dialect": dialect,
        "apps": [app["app_id"] for app in apps if app["owner"] == code],
        "mails": [f"finance-{code.lower()}@example.com"],
        "phones": [f"1380000000{code[1:]}"],
        "agent": _program(f"{code}-agent"),
    }


def _insurer(number: int, code: str) -> World:
    name = INSURERS[code]
    return {
        "code": code,
        "name": name,
        "dialect": INSURER_DIALECTS[code],
        "credit_code": f"91310000MA1FL{number:04d}X",
        "outbound_secret": _secret(),
        "package_key": make_package_key(),
        "bank_account": with_luhn(f"621700001000{number:06d}"),
        "bank_account_name": f"{name}股份有限公司",
        "product_name": f"{name}门急诊及住院医疗保险",
        "product_filing_no": f"C0000{number}32512026{number:06d}",
        "contact": f"privacy-{code.lower()}@example.com",
        "mails": [f"duty-{code.lower()}@example.com"],
        "phones": [f"1390000000{number}"],
        **_program(f"{code}-core"),
    }


def _merchants(apps: list[World]) -> list[World]:
    """Each owner's merchant number. I2 and the mini-program of H2 are not bound: there only a bank card is possible."""
    of_hospital = {code: [app["app_id"] for app in apps if app["owner"] == code] for code in HOSPITALS}
    every = [app["app_id"] for app in apps]
    unbound = next(app["app_id"] for app in apps if (app["owner"], app["kind"]) == ("H2", "mini"))
    bound = {**of_hospital, "I1": every, "I2": [app_id for app_id in every if app_id != unbound]}
    return [make_merchant(owner, app_ids) for owner, app_ids in bound.items()]


def _operators() -> list[World]:
    platform = [_operator(role, role, None) for role in PLATFORM_ROLES]
    platform.append(_operator("finance-2", "finance", None))  # two agree where money differs
    insurers = [
        _operator(f"{code.lower()}-approver-{number}", "payout_approver", code)
        for code in INSURERS
        for number in range(1, APPROVERS + 1)
    ]
    return platform + insurers


def _operator(login: str, role: str, party: str | None) -> World:
    password = secrets.token_urlsafe(12)
    return {"login": login, "password": password, "totp_secret": pyotp.random_base32(), "role": role, "party": party}


def _program(partner: str) -> World:
    return {"partner": partner, "secret": _secret()}


def _secret() -> str:
    return "whsec_" + b64encode(secrets.token_bytes(32)).decode()


def _package_keys(master_key: str) -> dict[str, str]:
    key = SigningKey(Privacy(master_key).signing_seed)
    return {key.key_id: key.public_key}
