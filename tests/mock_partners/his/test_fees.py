from __future__ import annotations

import random
from decimal import Decimal

from mock_partners.his import catalogue, fees
from mock_partners.his.fees import Line


def _line(insurance_class: str, price: str, quantity: str = "1") -> Line:
    item = catalogue.Item("X", "x", catalogue.DRUG, None, insurance_class, Decimal(price))
    return Line(item, Decimal(quantity))


def test_the_fund_pays_by_class() -> None:
    shares = fees.split([_line("甲", "100"), _line("乙", "100"), _line("丙", "100")], Decimal(0))
    assert shares.fund == Decimal("80.00") + Decimal("59.50")
    assert (shares.account, shares.self_pay, shares.borne) == (0, Decimal("160.50"), Decimal("160.50"))


def test_the_account_pays_at_most_its_balance_and_half_of_the_rest() -> None:
    lines = [_line("丙", "100")]
    assert fees.split(lines, Decimal("30")).account == Decimal("30")
    assert fees.split(lines, Decimal("300")).account == Decimal("50")


def test_an_amount_is_the_rounded_product_also_when_drugs_come_back() -> None:
    assert _line("甲", "0.386250", "28").amount == Decimal("10.82")
    assert _line("乙", "7.853400", "-2.2500").amount == Decimal("-17.67")


def test_every_bill_adds_up() -> None:
    for seed in range(200):
        rng = random.Random(seed)
        lines = fees.inpatient(rng, 5, implant=True) if seed % 2 else fees.outpatient(rng, returned=True)
        shares = fees.split(lines, Decimal(rng.randint(0, 500)))
        assert shares.fund + shares.account + shares.self_pay == sum(line.amount for line in lines) == shares.total
        assert min(shares.fund, shares.account, shares.self_pay) >= 0
        assert any(line.quantity < 0 for line in lines)
