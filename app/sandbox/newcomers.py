"""`sandbox new`: a party of the integrator's own with its program, its keys, and something to work on."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from joserfc.jwk import ECKey

from app.claim import service as claims
from app.core.work import Work
from app.exchange import service as exchange
from app.exchange.service import NewParty
from app.sandbox import samples

Files = dict[str, Any]


@dataclass(frozen=True)
class Newcomer:
    """`files` by name: JSON, or text for `.pem`. They hold the secrets, this once."""

    party: str
    files: Files


def new_hospital(work: Work, exchange_url: str) -> Newcomer:
    """A hospital with a command that waits for its agent."""
    party_id, code, known = _enter(work, "hospital", "agent", {}, exchange_url)
    exchange.command(work, party_id, "pull_patient", {"patient_no": "P0001"}, lane="pull", subject=None)
    day = work.clock.today()
    e_bill_no = f"{int(code[-6:], 16):010}"
    batches = (samples.catalogue(1, day), samples.record(2, day, e_bill_no), samples.ledger(3, day))
    return Newcomer(code, {"partner.json": known, **{f"{batch['kind']}.json": batch for batch in batches}})


def new_insurer(work: Work, exchange_url: str, config: Mapping[str, str]) -> Newcomer:
    """An insurer with a claim package in its feed, encrypted to a key made for it, and the hospital that the package
    names. `config` may have `url`, where we call it, and `push_url`, where its feed is pushed to."""
    party_id, code, known = _enter(work, "insurer", "core", config, exchange_url)
    outbound = exchange.new_secret()
    exchange.add_outbound_secret(work, party_id, outbound)
    key = ECKey.generate_key("P-256")
    exchange.register_package_key(work, party_id, key.as_dict(private=False))
    delivery = _delivery(work, party_id)
    exchange.publish(work, party_id, "claim.package", delivery)
    exchange.put_party(work, NewParty("hospital", samples.HOSPITAL, "沙箱医院", {}))
    messages = samples.insurer_messages(work.clock.today())
    files: Files = {"partner.json": known | {"outbound_secret": outbound}, "package.json": delivery["package"]}
    files |= {"package-key.pem": key.as_pem(private=True).decode(), "platform-keys.json": known["platform_keys"]}
    return Newcomer(code, files | {f"{name}.json": message for name, message in messages.items()})


def _enter(
    work: Work, kind: str, program: str, config: Mapping[str, str], exchange_url: str
) -> tuple[UUID, str, dict[str, Any]]:
    code, secret = f"SB{kind[0].upper()}{secrets.token_hex(3)}", exchange.new_secret()
    party_id = exchange.put_party(work, NewParty(kind, code, f"沙箱 {code}", dict(config)))
    partner = f"{code}-{program}"
    exchange.put_partner(work, party_id, partner, secret)
    return party_id, code, samples.partner_file(exchange_url, partner, secret, work.signing.current)


def _delivery(work: Work, party_id: UUID) -> dict[str, Any]:
    """As a claim is handed over, about nobody."""
    jwk = exchange.package_key(work.session, party_id)
    assert jwk is not None
    head = claims.Head(samples.CLAIM_NO, work.now)
    sealed = claims.seal(head, samples.parts(work.clock.today()), work.signing.current)
    package = claims.for_insurer(sealed, {}, jwk, work.signing.current)
    return {"claim_no": samples.CLAIM_NO, "policy_no": "P-SANDBOX", "package": package, "remainders": []}
