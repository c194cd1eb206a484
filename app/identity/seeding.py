"""Entering a whole world (world.json of the demonstration) at once: parties, programs, apps, merchants, operators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.core.work import Work
from app.exchange import service as exchange
from app.exchange.service import NewParty
from app.identity.credential import registry
from app.identity.credential.registry import NewApp, NewMerchant
from app.identity.operators import service as operators
from app.identity.operators.service import NewOperator

World = Mapping[str, Any]
_HOSPITAL_CONFIG = ("campuses", "mails", "phones")
# How many registrations a poll takes, which interface it settles at; what is not agreed is left away.
_HOSPITAL_TERMS = ("registration_batch", "interface", "lane_limits")
_NETWORK_TERMS = ("n", "window_s", "shares")
# `contact`: where a person reaches the insurer about the data that it gets; without one nobody can consent.
_INSURER_CONFIG = ("url", "push_url", "credit_code", "product_name", "product_filing_no", "contact", "mails", "phones")
# The dialect an insurer speaks, how often it is asked for news, and the days it has for a claim, where that is agreed
# (native, told by the insurer, those of the law).
_INSURER_TERMS = ("dialect", "poll_s", "terms")


def seed(work: Work, world: World) -> dict[str, int]:
    """Enter everything; again changes nothing. How many of each kind the world has. KeyError names what is missing."""
    for hospital in world["hospitals"]:
        terms = {name: hospital[name] for name in _HOSPITAL_TERMS if name in hospital}
        _party(work, "hospital", hospital, {name: hospital.get(name, []) for name in _HOSPITAL_CONFIG} | terms)
        _agent(work, hospital)
    for insurer in world["insurers"]:
        terms = {name: insurer[name] for name in _INSURER_TERMS if name in insurer}
        party_id = _party(work, "insurer", insurer, {name: insurer.get(name) for name in _INSURER_CONFIG} | terms)
        exchange.put_partner(work, party_id, insurer["partner"], insurer["secret"])
        _package_key(work, party_id, insurer)
        registry.put_bank_account(work, party_id, insurer["bank_account"], insurer["bank_account_name"])
    network = world["medical_insurance"]
    _party(work, "medical_insurance", network, {name: network[name] for name in _NETWORK_TERMS if name in network})
    _agent(work, network)
    bank = world["bank"]
    bank_id = _party(work, "bank", {"name": "银行", **bank}, {"url": bank["url"]})
    exchange.put_partner(work, bank_id, bank["partner"], bank["secret"])
    _wechat(work, world["wechat"])
    for entry in world["operators"]:
        _operator(work, entry)
    return {
        "parties": len(world["hospitals"]) + len(world["insurers"]) + 2,
        "apps": len(world["wechat"]["apps"]),
        "merchants": len(world["wechat"]["merchants"]),
        "operators": len(world["operators"]),
    }


def _party(work: Work, kind: str, entry: World, config: dict[str, Any]) -> Any:
    new = NewParty(kind, entry["code"], entry["name"], config, entry.get("outbound_secret"))
    return exchange.put_party(work, new)


def _package_key(work: Work, party_id: UUID, insurer: World) -> None:
    """The insurer's public key, unless one is registered: it may have been changed since."""
    if "package_key" in insurer and exchange.party(work.session, party_id).package_key is None:
        exchange.register_package_key(work, party_id, insurer["package_key"]["public"])


def _agent(work: Work, entry: World) -> None:
    party = exchange.party_by_code(work.session, entry["code"])
    exchange.put_partner(work, party.id, entry["agent"]["partner"], entry["agent"]["secret"])


def _wechat(work: Work, wechat: World) -> None:
    for app in wechat["apps"]:
        owner = exchange.party_by_code(work.session, app["owner"])
        registry.put_app(work, owner.id, NewApp(**{name: app[name] for name in NewApp.__dataclass_fields__}))
    for merchant in wechat["merchants"]:
        owner = exchange.party_by_code(work.session, merchant["owner"])
        new = NewMerchant(**{name: merchant[name] for name in NewMerchant.__dataclass_fields__})
        registry.put_merchant(work, owner.id, new)


def _operator(work: Work, entry: World) -> None:
    """An operator who exists is left alone: the password may have been changed since."""
    if operators.operator_by_login(work.session, entry["login"]) is not None:
        return
    roles = entry.get("roles") or [entry["role"]]
    party_id = exchange.party_by_code(work.session, entry["party"]).id if entry["party"] else None
    new = NewOperator(entry["login"], roles, party_id, entry["password"], entry["totp_secret"])
    operators.add_operator(work, new)
