from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StringConstraints,
    ValidationError,
    model_validator,
)

from app.core.paging import PageView
from app.payment.contracts import GivenBackView
from app.settlement.states import Part, RulingState, State

Amount = Annotated[StrictInt, Field(ge=0, le=10**13)]


class AskTrial(BaseModel):
    """`wait=false` asks once: if nobody can be admitted now, nothing is kept and the answer is 429. Whoever has shown
    no medical-insurance card yet shows it now."""

    model_config = ConfigDict(extra="forbid")

    bill_id: UUID
    wait: StrictBool = True
    medical_card_no: str | None = Field(None, max_length=40, description="医保卡号")


class Settle(BaseModel):
    model_config = ConfigDict(extra="forbid")

    trial_id: UUID


class Sides(BaseModel):
    """Who pays what, in an answer of the interface."""

    model_config = ConfigDict(extra="ignore")

    fund_fen: Amount
    account_fen: Amount
    self_pay_fen: Amount

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Self | None:
        """None for an answer that does not say it."""
        try:
            return cls.model_validate(body)
        except ValidationError:
            return None


class Settled(Sides):
    """What 2207 has done."""

    setl_id: Annotated[str, Field(min_length=1, max_length=64)]


class Rule(BaseModel):
    """What people have found out at the interface. `setl_id`, its number of what stands, with `settled` and only then;
    `evidence`: how they know (who said so, which receipt), no personal data."""

    model_config = ConfigDict(extra="forbid")

    outcome: Literal["settled", "not_settled"]
    setl_id: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)] | None = None
    evidence: Annotated[str, StringConstraints(strip_whitespace=True, min_length=5, max_length=500)]

    @model_validator(mode="after")
    def _number_of_what_stands(self) -> Rule:
        if (self.outcome == "settled") != (self.setl_id is not None):
            raise ValueError("已结算时请填写医保结算编号，未结算时不要填写")
        return self


class RulingView(BaseModel):
    settlement_id: UUID
    status: RulingState
    outcome: str
    setl_id: str | None
    evidence: str
    proposed_by: UUID
    decided_by: UUID | None


class UnfinishedView(BaseModel):
    """A settlement that waits for the interface or for the hospital: what each half has come to, how often nobody could
    say whether the insurance had settled (`doubts`), how often something was asked again, why it goes back; `ruling`:
    what a person has proposed and a second one has to confirm."""

    id: UUID
    no: str
    hospital_id: UUID
    interface_id: UUID
    status: State
    status_since: datetime
    paid_at: datetime | None
    insurance_part: Part
    self_pay_part: Part
    total_fen: int
    self_pay_fen: int | None
    hospital_told: bool
    network_told: bool
    reversal_told: bool
    doubts: int
    tries: int
    refused_code: str | None
    ruling: RulingView | None


class UnfinishedPage(PageView):
    items: list[UnfinishedView]


class SettlementView(GivenBackView):
    """A trial and the settlement that may follow have the same id. While waiting: `place` (from 1, behind whoever is
    being tried), `expected_at` (the turn comes by then; null where that has passed) and `delayed`, which says in
    Chinese that it comes later than was promised at first. Amounts once the trial is done; `payment_id` names the
    payment order of the self-pay part; `refused` says `refused_code` in Chinese, `left` for who has left the line;
    `refund` is that of the self-pay part."""

    id: UUID
    bill_id: UUID
    person_id: UUID
    status: State
    status_since: datetime
    place: int | None
    expected_at: datetime | None
    delayed: str | None
    valid_until: datetime | None
    total_fen: int
    fund_fen: int | None
    account_fen: int | None
    self_pay_fen: int | None
    insurance_part: Part
    self_pay_part: Part
    payment_id: UUID | None
    refused_code: str | None
    refused: str | None
