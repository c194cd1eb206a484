"""Fee lines and who pays them, by the rule that the medical-insurance stand-in applies too.

Class 甲: the fund pays 80 %; class 乙: 15 % self-pay first, of the rest the fund pays 70 %; class 丙: nothing.
Amounts are yuan `Decimal`s of two places, rounded half up.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from mock_partners.his import catalogue
from mock_partners.his.catalogue import Item
from mock_partners.his.numbers import yuan

A_SHARE, B_FIRST, B_SHARE = Decimal("0.80"), Decimal("0.15"), Decimal("0.70")


@dataclass(frozen=True)
class Line:
    item: Item
    quantity: Decimal

    @property
    def amount(self) -> Decimal:
        return yuan(self.item.price * self.quantity)


@dataclass(frozen=True)
class Shares:
    """A bill split onto fund, personal account and the patient's own pocket."""

    total: Decimal
    fund: Decimal
    account: Decimal

    @property
    def self_pay(self) -> Decimal:
        return self.total - self.fund - self.account

    @property
    def borne(self) -> Decimal:
        """What the patient bore: account and pocket are both the patient's own money."""
        return self.total - self.fund


def total(lines: Sequence[Line]) -> Decimal:
    return sum((line.amount for line in lines), Decimal(0))


def split(lines: Sequence[Line], account_balance: Decimal) -> Shares:
    """Split a bill; the account pays at most its balance and at most half of what the fund leaves."""
    by_class = {c: total([line for line in lines if line.item.insurance_class == c]) for c in "甲乙丙"}
    b_first = yuan(by_class["乙"] * B_FIRST)
    fund = yuan(by_class["甲"] * A_SHARE) + yuan((by_class["乙"] - b_first) * B_SHARE)
    whole = total(lines)
    account = max(Decimal(0), min(account_balance, yuan((whole - fund) / 2)))
    return Shares(whole, fund, account)


def outpatient(rng: random.Random, *, returned: bool) -> list[Line]:
    """The lines of an outpatient bill; with `returned` part of the first drug came back."""
    lines = [Line(catalogue.VISIT_FEE, Decimal(1))]
    lines += [Line(item, Decimal(1)) for item in rng.sample(catalogue.TREATMENTS, rng.randint(1, 3))]
    drugs = rng.sample(catalogue.DRUGS, rng.randint(1, 3))
    lines += [Line(item, Decimal(rng.choice((6, 7, 10, 14, 20, 28)))) for item in drugs]
    if returned:
        first = next(line for line in lines if line.item.category == catalogue.DRUG)
        lines.append(Line(first.item, -Decimal(rng.randint(1, int(first.quantity) // 2))))
    return lines


def inpatient(rng: random.Random, days: int, *, implant: bool) -> list[Line]:
    """The lines of an inpatient bill: days, treatments, drugs, the operation, with `implant` a costly device."""
    daily = (catalogue.BED_FEE, catalogue.NURSING, catalogue.COMPANION)
    lines = [Line(item, Decimal(days)) for item in daily]
    lines += [Line(item, Decimal(rng.randint(1, 3))) for item in rng.sample(catalogue.TREATMENTS, 5)]
    lines += [Line(item, Decimal(days * rng.randint(1, 4))) for item in rng.sample(catalogue.DRUGS, 5)]
    lines += [Line(catalogue.OPERATION_FEE, Decimal(1)), Line(catalogue.ANAESTHESIA, Decimal(1))]
    lines.append(Line(catalogue.DRESSING, Decimal(rng.randint(5, 40)) + Decimal("0.5000")))
    if implant:
        lines.append(Line(catalogue.IMPLANT, Decimal(1)))
    lines.append(Line(catalogue.DRESSING, Decimal("-2.2500")))
    return lines
