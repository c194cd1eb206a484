"""The bank side against our own books, number by number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from app.reconciliation.findings import Seen
from app.reconciliation.funds.bills import BANK, BASIC, FLOW, PAYMENT, PAYOUT, REFUND, RETURN, TRADE, Bill, Moved

Side = tuple[str, UUID]  # which bill, and whose
_AGREED: Mapping[str, Mapping[str, frozenset[str]]] = {
    # What the bill says -> how the row may stand with us.
    PAYMENT: {"SUCCESS": frozenset({"paid", "closed"})},
    REFUND: {
        "SUCCESS": frozenset({"succeeded"}),
        "PROCESSING": frozenset({"succeeded", "processing"}),
        "FAIL": frozenset({"abnormal"}),
        "CHANGE": frozenset({"abnormal"}),
    },
    PAYOUT: dict.fromkeys(("SUCCESS", "succeeded", "accepted"), frozenset({"succeeded", "returned"})),
    RETURN: dict.fromkeys(("SUCCESS", "succeeded"), frozenset({"returned"})),
}
_HAS_LEDGER = (PAYOUT, RETURN)


@dataclass(frozen=True)
class Own:
    """What our books say of a number. `on_day`: whether it belongs to the day that is compared, or was only looked up.
    `side` is the bill on which it must stand."""

    what: str
    number: str
    side: Side
    fen: int
    status: str
    on_day: bool
    ledger_fen: int | None = None


@dataclass
class Count:
    """One kind of movement: how many, and of how many fen, the bills and our books have, and how many of them agree."""

    bill: int = 0
    bill_fen: int = 0
    own: int = 0
    own_fen: int = 0
    agreed: int = 0
    agreed_fen: int = 0


@dataclass(frozen=True)
class Scene:
    """`bills`: what arrived, by side. `own`: our rows, by (what, number). `nearby`: (what, number) on bills of the
    dates around. `roles`: hospital or insurer, by party. `accounts`: whose a paying account is."""

    bills: Mapping[Side, Bill]
    own: Mapping[tuple[str, str], Own]
    nearby: frozenset[tuple[str, str]]
    roles: Mapping[UUID, str]
    accounts: Mapping[str, UUID] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Found:
    seen: list[Seen]
    counts: dict[str, Count]


def compare(scene: Scene) -> Found:
    counts = {what: Count() for what in (PAYMENT, REFUND, PAYOUT, RETURN)}
    seen: list[Seen] = []
    on_bills: set[tuple[str, str]] = set()
    for side, bill in scene.bills.items():
        seen += [_bad_line(scene, side, line) for line in bill.bad_lines]
        for moved in bill.rows:
            if moved.what != FLOW:
                on_bills.add((moved.what, moved.number))
                found = list(_judge(scene, side, moved))
                _count(counts[moved.what], moved, agreed=not found)
                seen += found
    on_bills |= scene.nearby
    for own in scene.own.values():
        if own.on_day and own.side in scene.bills:
            counts[own.what].own += 1
            counts[own.what].own_fen += own.fen
            if (own.what, own.number) not in on_bills:
                seen.append(_seen(scene, own.side, _Wrong("funds_presence", "bill_lacks", own.what), None, own))
    seen += _flows(scene)
    return Found(list({(one.kind, one.key): one for one in seen}.values()), counts)


def _count(count: Count, moved: Moved, *, agreed: bool) -> None:
    count.bill += 1
    count.bill_fen += moved.fen
    count.agreed += agreed
    count.agreed_fen += moved.fen if agreed else 0


def _judge(scene: Scene, side: Side, moved: Moved) -> Iterator[Seen]:
    """What is wrong with one row of a bill."""
    own = scene.own.get((moved.what, moved.number))
    if own is not None and own.side != side:
        own = None  # it moved somebody else's money

    def told(kind: str, cause: str, name: str = moved.what) -> Seen:
        return _seen(scene, side, _Wrong(kind, cause, name), moved, own)

    if own is None:
        yield told("funds_presence", "platform_lacks")
        return
    if own.fen != moved.fen:
        yield told("funds_amount", "bill_amount")
    if own.status not in _AGREED[moved.what].get(moved.status, frozenset()):
        yield told("funds_status", "bill_status")
    if moved.what in _HAS_LEDGER and own.ledger_fen is None:
        yield told("funds_presence", "books_lack", f"ledger:{moved.what}")
    elif moved.what in _HAS_LEDGER and own.ledger_fen != moved.fen:
        yield told("funds_amount", "books_amount", f"ledger:{moved.what}")


def _flows(scene: Scene) -> Iterator[Seen]:
    """Every payment and refund of a trade bill moves the merchant's basic account by as much."""
    for (kind, party_id), bill in scene.bills.items():
        if kind != TRADE or (BASIC, party_id) not in scene.bills:
            continue
        flows = {row.number: row.fen for row in scene.bills[BASIC, party_id].rows}
        for moved in bill.rows:
            wanted_fen = moved.settled_fen if moved.what == PAYMENT else -moved.settled_fen
            if moved.status == "REVOKED" or (moved.what == REFUND and moved.status != "SUCCESS") or wanted_fen == 0:
                continue
            flow_fen = flows.get(moved.provider_no)
            if flow_fen != wanted_fen:
                kinds = ("funds_presence", "flow_lacks") if flow_fen is None else ("funds_amount", "flow_amount")
                yield _seen(scene, (BASIC, party_id), _Wrong(*kinds, f"flow:{moved.what}"), moved, None)


def _bad_line(scene: Scene, side: Side, line: int) -> Seen:
    return Seen(
        "funds_bad_row", f"{side[0]}:{side[1]}:{line}", _place(scene, side) | {"line": line, "cause": "not_readable"}
    )


@dataclass(frozen=True)
class _Wrong:
    """What is wrong (`kind`, `cause`) with the movement that `name` and its number name."""

    kind: str
    cause: str
    name: str


def _seen(scene: Scene, side: Side, wrong: _Wrong, moved: Moved | None, own: Own | None) -> Seen:
    values: dict[str, Any] = _place(scene, side, moved.account if moved else "") | {"cause": wrong.cause}
    if moved is not None:
        values |= {"bank_fen": moved.fen, "bank_status": moved.status}
    if own is not None:
        values |= {"platform_fen": own.fen, "platform_status": own.status, "ledger_fen": own.ledger_fen}
    number = moved.number if moved is not None else own.number if own is not None else ""
    return Seen(wrong.kind, f"{wrong.name}:{number}", values)


def _place(scene: Scene, side: Side, account: str = "") -> dict[str, Any]:
    """Whose difference it is: the owner of the merchant number, or of the account that the bank moved."""
    kind, party_id = side
    owner = scene.accounts.get(account) if kind == BANK else party_id
    role = scene.roles.get(owner) if owner is not None else None
    return {"role": kind} | ({f"{role}_id": owner} if role else {})
