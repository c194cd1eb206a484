"""What crosses the exchange and is read by no contract of its own, because a book with bad rows is still a book."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictInt, StringConstraints

from app.core.ids import luhn_digit


def _checked(number: str) -> str:
    if luhn_digit(number[:-1]) != number[-1]:
        raise ValueError("清算流水号的校验位不正确")
    return number


ClearingNo = Annotated[str, StringConstraints(pattern=r"^[0-9]{19}$"), AfterValidator(_checked)]


class LedgerIn(BaseModel):
    """One row of a ledger batch. A hospital says settled, refunded, void or unsettled; an insurer booked or void."""

    model_config = ConfigDict(extra="ignore")

    clearing_no: ClearingNo
    amount_fen: Annotated[StrictInt, Field(ge=0, le=10**13)]
    status: Literal["settled", "refunded", "unsettled", "booked", "void"]
    kind: Literal["pay", "reverse"] = "pay"
