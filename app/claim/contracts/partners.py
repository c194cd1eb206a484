"""What insurers and hospitals say about claims, as messages and as answers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
)

from app.claim.contracts.fields import Fen, Key, LineNo, Text
from app.claim.rules import MAX_LINES
from app.core.moments import Moment
from app.core.strict_json import PlainZero


class ReasonIn(BaseModel):
    model_config = ConfigDict(extra="ignore")

    code: Key
    text: Text


class LineReasonIn(ReasonIn):
    """`cap_fen`: by how much this reason lowers the line after the ratio (a ceiling, what another policy paid)."""

    cap_fen: Annotated[StrictInt, Field(ge=1, le=10**13)] | None = None


class AdjudicatedLineIn(BaseModel):
    """What it must add up to: app.claim.arithmetic."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    clearing_no: Key
    line_no: LineNo
    billed_fen: Fen
    covered_fen: Fen
    deductible_fen: Fen
    ratio: Annotated[Decimal, Field(ge=0, le=1, decimal_places=4), PlainZero]
    approved_fen: Fen
    reasons: list[LineReasonIn]

    @property
    def cap_fen(self) -> int:
        return sum(reason.cap_fen or 0 for reason in self.reasons)


class AdjudicatedIn(BaseModel):
    """`claim.adjudicated` of an insurer. `interim` (先予支付): what is certain already, of some lines, is paid in
    advance while the rest is still examined; a decision that supersedes it follows."""

    model_config = ConfigDict(extra="ignore")

    claim_no: Key
    case_no: Key
    decision_no: Key
    supersedes: Key | None = None
    outcome: Literal["approved", "partly", "rejected", "interim"]
    lines: Annotated[list[AdjudicatedLineIn], Field(max_length=MAX_LINES)]
    approved_fen: Annotated[StrictInt, Field(ge=0, le=10**13)]


class ItemIn(BaseModel):
    model_config = ConfigDict(extra="ignore")

    kind: Key
    text: Text


class DocumentsRequestedIn(BaseModel):
    """`claim.documents_requested`: once, and all at once. A further request of the same claim needs a `reason`, which
    the patient reads, and a `supervisor` who allowed it (a staff number, not a name). Without a `deadline` it is the
    latest one agreed with the insurer."""

    model_config = ConfigDict(extra="ignore")

    claim_no: Key
    request_no: Key
    items: Annotated[list[ItemIn], Field(min_length=1, max_length=20)]
    deadline: Moment | None = None
    reason: Text | None = None
    supervisor: Key | None = None


class RecoveryEndedIn(BaseModel):
    """`claim.recovery_ended`: what must come back was repaid, or is given up. `recovery_no` and `amount_fen` are those
    that we told."""

    model_config = ConfigDict(extra="ignore")

    claim_no: Key
    recovery_no: Key
    outcome: Literal["repaid", "written_off"]
    amount_fen: Annotated[StrictInt, Field(ge=1, le=10**13)]


class CaseOpenedIn(BaseModel):
    model_config = ConfigDict(extra="ignore")

    claim_no: Key
    case_no: Key


class ExportAskedIn(BaseModel):
    """`claim.export_asked`: the newest package again, as it was sealed or as FHIR R4B. The answer is the change
    `claim.export`."""

    model_config = ConfigDict(extra="ignore")

    claim_no: Key
    format: Literal["package", "fhir"]


class VisitWanted(BaseModel):
    """`record.visit`, an insurer's data request: everything of the visits that this claim is about."""

    model_config = ConfigDict(extra="forbid")

    claim_no: Key


class VisitRow(BaseModel):
    """One row as the hospital's agent reads it, in the form in which it would push it."""

    model_config = ConfigDict(extra="ignore")

    type: Key
    key: Key
    data: dict[str, Any]


class VisitRead(BaseModel):
    """An agent's answer to `read_visit`. Not `complete`: there were more rows than it may read at once."""

    model_config = ConfigDict(extra="ignore")

    rows: Annotated[list[VisitRow], Field(max_length=2000)]
    complete: StrictBool


class PolicyIn(BaseModel):
    """One policy in an insurer's answer to an eligibility question; null for what its dialect does not tell."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    policy_no: Key
    product_name: Text
    product_filing_no: Key | None
    valid_from: date
    valid_to: date
    in_scope: StrictBool
    deductible_left_fen: Annotated[StrictInt, Field(ge=0, le=10**13)] | None
    ratio: Annotated[Decimal, Field(ge=0, le=1, max_digits=20), PlainZero] | None
    ceiling_left_fen: Annotated[StrictInt, Field(ge=0, le=10**13)]
    reasons: list[ReasonIn] = []


class PaidElsewhereIn(BaseModel):
    """What others have paid for a bill, as far as the insurer knows, by claims that did not come through Zhipei."""

    model_config = ConfigDict(extra="ignore")

    clearing_no: Key
    amount_fen: Annotated[StrictInt, Field(ge=0, le=10**13)]


class EligibilityIn(BaseModel):
    model_config = ConfigDict(extra="ignore")

    insured: StrictBool
    policies: list[PolicyIn]
    paid_elsewhere: list[PaidElsewhereIn] = []


class CaseIn(BaseModel):
    model_config = ConfigDict(extra="ignore")

    case_no: Key
