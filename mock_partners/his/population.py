"""The plan of cases: who of the people shows what during the day, and which policies make it so.

`plan` is one deterministic function for both fillings. Every case of the day's list is carried by at least one person
from eight people on; a person may carry several that do not disturb each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from mock_partners.his.parts import Cover, Part
from mock_partners.his.people import CHILD_AGE, EarlierBill, Person, age_on

CASES = (
    "partial_approval",
    "rejection",
    "not_insured",
    "documents_asked",
    "line_appeal",
    "withdrawal",
    "bank_payee",
    "wechat_payee",
    "unconfirmed_transfer",
    "counter_visit",
    "refund",
    "reversed_ebill",
    "two_policies",
    "guardian",
)
ADULT_CASES: tuple[tuple[str, ...], ...] = (
    ("two_policies", "bank_payee"),
    ("line_appeal", "reversed_ebill"),
    ("documents_asked", "unconfirmed_transfer", "wechat_payee"),
    ("partial_approval", "bank_payee"),
    ("rejection", "counter_visit"),
    ("withdrawal",),
    *((),) * 8,
)
"""Dealt out again and again to the insured adults, the most demanding first; to who gets an empty one nothing special
happens."""
LARGE_FEN = 1_000_000
"""From 10,000 yuan on only a bank card is planned, with the identity image that such a sum needs."""
BILLS_PER_CLAIM = 3


def plan(people: Sequence[Person], covers: Mapping[str, list[Cover]], business_date: date) -> list[Part]:
    """Deal the cases out. `covers` maps patient numbers to policies; who has none is not insured.

    The dead have no part in the day and carry no case.
    """
    parts = [Part(person, covers.get(person.patient_no, [])) for person in people]
    living = [part for part in parts if part.person.alive]
    children = [p for p in living if p.covers and age_on(p.person.birth_date, business_date) < CHILD_AGE]
    uninsured = [p for p in living if not p.covers]
    adults = [p for p in living if p.covers and p not in children]
    for place, part in enumerate(uninsured):
        part.cases = ["not_insured", *(["refund"] if place % 3 == 0 else [])]
    for place, part in enumerate(children):
        part.cases = ["wechat_payee"] if place == 0 else []
    for part in (p for p in living if p.person.guardian):
        part.cases.insert(0, "guardian")
    _deal(adults, business_date)
    for part in living:
        _choose_claims(part, business_date)
    for place, part in enumerate(children + adults):
        _choose_payee(part, place)
    return parts


def _deal(adults: list[Part], business_date: date) -> None:
    """Give each set of cases to the first one left who can carry it."""
    waiting = list(adults)
    for cases in _endlessly(ADULT_CASES):
        if not waiting:
            return
        part = next((p for p in waiting if _can_carry(p, cases, business_date)), None)
        if part is not None:
            part.cases = list(cases)
            waiting.remove(part)


def _endlessly(sets: Sequence[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    while True:
        yield from sets


def _can_carry(part: Part, cases: Sequence[str], business_date: date) -> bool:
    if "reversed_ebill" in cases and _best_cover(part, business_date, least=2) is None:
        return False
    if "two_policies" in cases and len(_insurers_today(part, business_date)) < 2:
        return False
    small = min((bill.borne_fen for _, bill in _claimable(part)), default=0) < LARGE_FEN
    return small or not {"unconfirmed_transfer", "wechat_payee"} & set(cases)


def _insurers_today(part: Part, business_date: date) -> dict[str, Cover]:
    return {cover.insurer: cover for cover in part.covers if cover.holds(business_date)}


def _claimable(part: Part) -> list[tuple[Cover, EarlierBill]]:
    return [(c, b) for c in part.covers for b in part.person.bills if b.claimable and c.holds(b.billed_on)]


def _best_cover(part: Part, business_date: date, *, least: int = 1) -> Cover | None:
    """The latest policy with at least `least` claimable bills inside."""
    counted = {c.policy_no: sum(1 for other, _ in _claimable(part) if other is c) for c in part.covers}
    fit = [cover for cover in part.covers if counted[cover.policy_no] >= least]
    return max(fit, key=lambda cover: cover.valid_from, default=None)


def _choose_claims(part: Part, business_date: date) -> None:
    if not part.covers:
        return
    if "two_policies" in part.cases:
        both = list(_insurers_today(part, business_date).values())[:2]
        common = [b for b in part.person.bills if b.claimable and all(c.holds(b.billed_on) for c in both)]
        part.claims = [(cover, common[-1:]) for cover in both]
        return
    reverses = "reversed_ebill" in part.cases
    cover = _best_cover(part, business_date, least=2 if reverses else 1)
    if cover is None:
        today = [c for c in part.covers if c.holds(business_date)]
        part.claims = [(c, []) for c in today[:1]]
        return
    bills = sorted((b for c, b in _claimable(part) if c is cover), key=lambda b: (b.billed_on, b.bill_key))
    if reverses:
        part.reversed_bill = min(bills, key=lambda b: b.borne_fen)
        bills.remove(part.reversed_bill)
    part.claims = [(cover, _within_reach(part, bills))]


def _within_reach(part: Part, bills: list[EarlierBill]) -> list[EarlierBill]:
    """The latest bills, at most three; for a WeChat transfer only as many as stay below the large sum."""
    if not {"unconfirmed_transfer", "wechat_payee"} & set(part.cases):
        return bills[-BILLS_PER_CLAIM:]
    chosen: list[EarlierBill] = []
    for bill in reversed(bills):
        if len(chosen) < BILLS_PER_CLAIM and sum(b.borne_fen for b in chosen) + bill.borne_fen < LARGE_FEN:
            chosen.insert(0, bill)
    return chosen


def _choose_payee(part: Part, place: int) -> None:
    if {"bank_payee", "wechat_payee", "rejection", "withdrawal"} & set(part.cases):
        return
    small = part.claimed_fen < LARGE_FEN
    part.cases.append("wechat_payee" if small and place % 2 == 0 else "bank_payee")
