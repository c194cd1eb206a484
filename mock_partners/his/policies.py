"""The people's policies at the insurers of the world: invented for the built-in filling, read from a Synthea sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from mock_partners.his.numbers import digest
from mock_partners.his.parts import Cover
from mock_partners.his.people import CHILD_AGE, Person, age_on

TERM = timedelta(days=730)
AHEAD = timedelta(days=180)
BOTH_FROM = 7
"""Every eighth person holds a policy at every insurer."""


def invent(
    people: Sequence[Person], insurers: Sequence[Mapping[str, Any]], business_date: date
) -> dict[str, list[Cover]]:
    """Patient number -> policies: one of a long term for each insured person, the insurers in turn; some hold two."""
    covers: dict[str, list[Cover]] = {}
    for place, person in enumerate(people):
        if not person.insured:
            continue
        first = place // 2 % len(insurers)
        holders = insurers if place % 8 == BOTH_FROM else insurers[first : first + 1]
        covers[person.patient_no] = [_invented(insurer, place, business_date) for insurer in holders]
    return covers


def _invented(insurer: Mapping[str, Any], place: int, business_date: date) -> Cover:
    valid_from = business_date + AHEAD - TERM
    return Cover(
        insurer=insurer["code"],
        policy_no=f"{insurer['code']}{valid_from:%Y%m%d}{place + 1:08d}",
        product_name=insurer["product_name"],
        product_filing_no=insurer["product_filing_no"],
        valid_from=valid_from,
        valid_to=business_date + AHEAD,
    )


def from_sample(
    rows: Sequence[Mapping[str, Any]],
    people: Sequence[Person],
    insurers: Sequence[Mapping[str, Any]],
    business_date: date,
) -> dict[str, list[Cover]]:
    """Each commercial cover of the sample (rows of `synthea.read_covers`) as a policy, the payers shared out in turn.

    The last cover of a living person is extended to the business date. For every eighth adult who changed between the
    insurers the last cover at each of them is, so that one bill can meet two policies.
    """
    payers = sorted({row["payer"] for row in rows})
    insurer_of = {payer: insurers[place % len(insurers)] for place, payer in enumerate(payers)}
    covers: dict[str, list[Cover]] = {}
    for row in rows:
        covers.setdefault(row["patient_no"], []).append(_read(row, insurer_of[row["payer"]]))
    place = 0
    for person in people:
        mine = covers.get(person.patient_no, [])
        if not person.alive or not mine:
            continue
        last = {cover.insurer: cover for cover in mine}
        adult = age_on(person.birth_date, business_date) >= CHILD_AGE
        both = adult and len(last) > 1 and place % 8 == 0
        place += adult and len(last) > 1
        for cover in last.values() if both else mine[-1:]:
            cover.extended_to = max(cover.valid_to, business_date)
    return covers


def _read(row: Mapping[str, Any], insurer: Mapping[str, Any]) -> Cover:
    return Cover(
        insurer=insurer["code"],
        policy_no=f"SY{row['valid_from']:%Y%m%d}{digest(row['member'], row['valid_from'])[:12].upper()}",
        product_name=insurer["product_name"],
        product_filing_no=insurer["product_filing_no"],
        valid_from=row["valid_from"],
        valid_to=row["valid_to"],
    )
