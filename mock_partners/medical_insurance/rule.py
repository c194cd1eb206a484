"""Who pays what of a bill, exactly and to the fen.

The fund pays 80 % of class 甲; of class 乙 the patient first pays 15 %, then the fund pays 70 % of the rest; class 丙
is the patient's. The sums are taken per class over the whole bill, so that returns count; every percentage is rounded
half up; the fund never pays more than the bill. The personal account pays what the fund leaves of 甲 and of 乙 after
the first 15 %, as far as its balance goes. Cash takes the remainder of every rounding.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from mock_partners.medical_insurance.refusal import Refusal

JIA_FUND_PERCENT, YI_OWN_PERCENT, YI_FUND_PERCENT = 80, 15, 70
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Split:
    """total_fen = fund_fen + account_fen + cash_fen, none of them negative."""

    total_fen: int
    fund_fen: int
    account_fen: int
    cash_fen: int

    def as_yuan(self) -> dict[str, str]:
        return {
            "medfee_sumamt": yuan(self.total_fen),
            "fund_pay_sumamt": yuan(self.fund_fen),
            "acct_pay": yuan(self.account_fen),
            "psn_cash_pay": yuan(self.cash_fen),
        }


def split(lines: Iterable[tuple[str, int]], balance_fen: int) -> Split:
    """Split the lines (class, amount in fen) of a bill; raises Refusal if they add up to less than nothing."""
    sums = {"甲": 0, "乙": 0, "丙": 0}
    for insurance_class, amount_fen in lines:
        sums[insurance_class] += amount_fen
    total = sum(sums.values())
    if total < 0:
        raise Refusal("AMOUNT")
    jia, yi = max(sums["甲"], 0), max(sums["乙"], 0)
    yi_in_scope = yi - percent(yi, YI_OWN_PERCENT)
    fund = min(percent(jia, JIA_FUND_PERCENT) + percent(yi_in_scope, YI_FUND_PERCENT), total)
    account = max(0, min(balance_fen, jia + yi_in_scope - fund, total - fund))
    return Split(total, fund, account, total - fund - account)


def line_scope(insurance_class: str, amount_fen: int) -> tuple[int, int, int]:
    """Of one line: the whole patient's own part, the first part of 乙, what is in the fund's scope; adds up."""
    if insurance_class == "丙":
        return amount_fen, 0, 0
    sign = 1 if amount_fen >= 0 else -1
    first = sign * percent(abs(amount_fen), YI_OWN_PERCENT) if insurance_class == "乙" else 0
    return 0, first, amount_fen - first


def percent(amount_fen: int, rate: int) -> int:
    """`rate` per cent of an amount >= 0, rounded half up."""
    return (amount_fen * rate + 50) // 100


def yuan(fen: int) -> str:
    return f"{Decimal(fen) * CENT:.2f}"


def fen(value: Any) -> int:
    """The fen of a yuan text with at most two places, exactly; raises Refusal."""
    try:
        amount = Decimal(value) if isinstance(value, str) else Decimal("NaN")
        if not amount.is_finite() or amount != amount.quantize(CENT):
            raise Refusal("INPUT")
    except InvalidOperation as error:
        raise Refusal("INPUT") from error
    return int(amount * 100)


def same_split(said: Mapping[str, Any], right: Split) -> bool:
    """Whether the amounts that a request names, if it names any, are the right ones."""
    return all(fen(said[name]) == fen(amount) for name, amount in right.as_yuan().items() if name in said)
