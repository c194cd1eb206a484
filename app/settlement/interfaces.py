"""Which interface a hospital settles at, and what its owner has agreed: n in a window, and each hospital's share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.errors import Conflict
from app.core.quota import Budget
from app.exchange import service as exchange


def interface_of(session: Session, hospital_id: UUID) -> UUID:
    """Conflict `no_interface` for a hospital that settles at none."""
    found = exchange.interfaces(session).get(hospital_id)
    if found is None:
        raise Conflict("no_interface", "这家医院尚未接入医保结算，请到医院窗口办理")
    return found.id


def hospitals_of(session: Session, interface_id: UUID) -> list[UUID]:
    return [hospital for hospital, interface in exchange.interfaces(session).items() if interface.id == interface_id]


def budget_of(session: Session, interface_id: UUID) -> Budget:
    """n requests per window, as the interface's owner has agreed them; without the shares."""
    config = exchange.party(session, interface_id).config
    return Budget(f"trial:{interface_id}", int(config["n"]), timedelta(seconds=float(config["window_s"])))


def shared_budget(session: Session, interface_id: UUID) -> Budget:
    """The budget with every hospital's guaranteed share, by hospital id."""
    budget = budget_of(session, interface_id)
    hospitals = {exchange.party(session, one).code: one for one in hospitals_of(session, interface_id)}
    given = exchange.party(session, interface_id).config.get("shares") or {}
    shares = shares_of(sorted(hospitals), budget.n, given)
    return replace(budget, shares={str(hospitals[code]): share for code, share in shares.items()})


def shares_of(codes: Sequence[str], n: int, given: Mapping[str, int]) -> dict[str, int]:
    """The guaranteed slots of each hospital: what it was given, and of the rest the same for all others. Nobody has a
    share where not everybody can have one (`require_shares` refuses that at the start)."""
    shares = {code: int(given[code]) for code in codes if code in given}
    others = [code for code in codes if code not in shares]
    if others:
        shares |= dict.fromkeys(others, (n - sum(shares.values())) // len(others))
    return shares if shares and min(shares.values()) >= 1 and sum(shares.values()) <= n else {}


def require_shares(session: Session) -> None:
    """Every hospital that names an interface has it and is guaranteed a slot there, and n holds all shares. ValueError
    names the hospital or the interface."""
    for hospital in exchange.parties(session, "hospital"):
        if "interface" in hospital.config and hospital.id not in exchange.interfaces(session):
            raise ValueError(f"{hospital.code} settles at {hospital.config['interface']}, which nobody knows")
    for interface in exchange.parties(session, "medical_insurance"):
        hospitals = hospitals_of(session, interface.id)
        if hospitals and not shared_budget(session, interface.id).shares:
            raise ValueError(
                f"{interface.code} admits {interface.config['n']} trials a window; each of its {len(hospitals)} "
                "hospitals needs a share of at least 1 of them, all together at most all"
            )
