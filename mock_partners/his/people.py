"""The people of a hospital as the double knows them, and the inventing of people for the built-in filling."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import Any

from mock_partners.his import catalogue
from mock_partners.his.numbers import digits, identity_number, phone

GUARDIAN_ORDINALS = 1_000_000
CHILD_AGE = 14
CYCLE = 20
"""Every twentieth person is alike in what the day needs of them, so that eight people are enough for every case."""
CHILDREN, UNINSURED = {0, 13}, {3, 18}


@dataclass(frozen=True)
class Guardian:
    name: str
    document_no: str
    phone: str
    birth_date: date
    sex: str
    document_type: str = "id_card"
    relation: str = "child"


@dataclass(frozen=True)
class EarlierBill:
    """A settled bill as the hospital's tables tell it; `balanced`: fund + account + self-pay = total."""

    bill_key: str
    billed_on: date
    total_fen: int
    borne_fen: int
    balanced: bool

    @property
    def claimable(self) -> bool:
        return self.balanced and self.borne_fen > 0


@dataclass
class Person:
    """Someone whom one hospital knows. `insured` None: the policies in the data say so."""

    patient_no: str
    hospital: str
    name: str
    document_no: str
    phone: str
    birth_date: date
    sex: str
    medical_card_no: str
    guardian: Guardian | None = None
    alive: bool = True
    insured: bool | None = None
    visits: int = 0
    bills: list[EarlierBill] = field(default_factory=list)
    document_type: str = "id_card"

    def as_json(self) -> dict[str, Any]:
        """The person as `GET /__mock__/people` shows it, without the plan of cases."""
        body = {key: value for key, value in asdict(self).items() if key not in ("insured", "bills")}
        body["birth_date"] = self.birth_date.isoformat()
        if self.guardian is not None:
            body["guardian"] = {**asdict(self.guardian), "birth_date": self.guardian.birth_date.isoformat()}
        body["bills"] = len(self.bills)
        body["unbalanced_bills"] = sum(not bill.balanced for bill in self.bills)
        return body


def age_on(birth_date: date, day: date) -> int:
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


def invent(seed: int, ordinal: int, hospital: str, business_date: date) -> Person:
    """Person number `ordinal` (from 0) of the built-in filling."""
    rng = random.Random(f"{seed}:person:{ordinal}")
    place = ordinal % CYCLE
    sex = rng.choice(("male", "female"))
    age_days = rng.randint(3 * 365, 12 * 365) if place in CHILDREN else rng.randint(19 * 365, 84 * 365)
    birth_date = business_date - timedelta(days=age_days)
    guardian = _guardian(rng, ordinal, birth_date) if place in CHILDREN else None
    surname = guardian.name[0] if guardian else rng.choice(catalogue.SURNAMES)
    return Person(
        patient_no=f"{ordinal + 1:07d}",
        hospital=hospital,
        name=catalogue.DOTTED_NAMES[sex] if place == 17 else surname + rng.choice(catalogue.GIVEN[sex]),
        document_no=identity_number(birth_date, sex, ordinal),
        phone=guardian.phone if guardian else phone(ordinal),
        birth_date=birth_date,
        sex=sex,
        medical_card_no="C" + digits(9, seed, "card", ordinal),
        guardian=guardian,
        insured=place not in UNINSURED,
    )


def _guardian(rng: random.Random, ordinal: int, child_born: date) -> Guardian:
    sex = rng.choice(("male", "female"))
    birth_date = child_born - timedelta(days=rng.randint(24 * 365, 38 * 365))
    return guardian_named(rng.choice(catalogue.SURNAMES) + rng.choice(catalogue.GIVEN[sex]), sex, birth_date, ordinal)


def guardian_named(name: str, sex: str, birth_date: date, ordinal: int) -> Guardian:
    """An invented guardian; `ordinal` is the child's."""
    number = identity_number(birth_date, sex, ordinal + 2_000)
    return Guardian(name, number, phone(ordinal + GUARDIAN_ORDINALS), birth_date, sex)
