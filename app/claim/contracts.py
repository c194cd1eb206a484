"""What crosses HTTP about claims: the patient's side, and the insurer's messages."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StringConstraints,
    model_validator,
)

from app.claim.rules import MAX_BILLS
from app.core.moments import Moment
from app.core.paging import PageQuery, PageView
from app.core.strict_json import PlainZero

Key = Annotated[str, StringConstraints(min_length=1, max_length=120)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Base64 = Annotated[str, StringConstraints(min_length=4, max_length=4_000_000, pattern=r"^[A-Za-z0-9+/]+={0,2}$")]
LineNo = Annotated[StrictInt, Field(ge=1, le=100_000)]
Fen = Annotated[StrictInt, Field(ge=-(10**13), le=10**13)]


class Input(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class DocumentIn(Input):
    """A photograph or a scan. `kind` is what the insurer asked for, or `identity_image`."""

    kind: Key
    title: Text
    media_type: Literal["image/jpeg", "image/png", "application/pdf"]
    content_base64: Base64


class PayeeIn(Input):
    """Where the money goes. `name` and `bank_account` only for a bank card; the name must be the payee's own."""

    kind: Literal["wechat", "bank"]
    relation: Literal["self", "guardian"] = "self"
    bank_account: Annotated[str, StringConstraints(pattern=r"^[0-9]{12,19}$")] | None = None

    @model_validator(mode="after")
    def _bank_needs_a_card(self) -> PayeeIn:
        if (self.kind == "bank") != (self.bank_account is not None):
            raise ValueError("选择银行卡收款时请填写卡号，选择微信收款时不要填写")
        return self


class SubmitClaim(Input):
    """`way`: only 快赔 (quick) is offered. Both consents must be true, each given for itself after its text was shown
    (`/consent-texts`): `consent` for identity, bills and claim, `health_consent` for health data. `consent_wording` is
    the version of these texts; the one in force if it is left away."""

    person_id: UUID
    insurer: Key
    policy_no: Key | None = None
    bill_ids: Annotated[list[UUID], Field(min_length=1, max_length=MAX_BILLS)]
    payee: PayeeIn
    consent: StrictBool
    health_consent: StrictBool
    consent_wording: Key | None = None
    way: Literal["quick", "partly_direct", "fully_direct"] = "quick"
    documents: Annotated[list[DocumentIn], Field(max_length=6)] = []


class SendDocuments(Input):
    documents: Annotated[list[DocumentIn], Field(min_length=1, max_length=12)]


class LineRef(Input):
    clearing_no: Key
    line_no: LineNo


class AppealIn(Input):
    """Which lines; none means the whole decision."""

    lines: Annotated[list[LineRef], Field(max_length=200)] = []
    reason: Text


class OfPerson(BaseModel):
    person_id: UUID


class InsurerView(BaseModel):
    code: str
    name: str


class InsurerPage(BaseModel):
    items: list[InsurerView]


class ClaimableBillView(BaseModel):
    """`why_not` says in Chinese why a bill cannot be claimed; None if it can."""

    bill_id: UUID
    hospital_id: UUID
    bill_no: str
    department_name: str
    billed_on: date
    total_fen: int
    borne_fen: int
    why_not: str | None


class ClaimableBillPage(BaseModel):
    items: list[ClaimableBillView]


class ReasonView(BaseModel):
    code: str
    text: str
    cap_fen: int | None = None


class LineView(BaseModel):
    """billed → covered → deductible → ratio → caps → approved, and every reason at once."""

    clearing_no: str
    line_no: int
    billed_fen: int
    covered_fen: int
    deductible_fen: int
    ratio: str
    cap_fen: int
    approved_fen: int
    reasons: list[ReasonView]
    in_words: str


class ClaimBillView(BaseModel):
    clearing_no: str
    bill_id: UUID
    kind: str
    borne_fen: int
    approved_fen: int | None
    payable_fen: int


class RecoveryView(BaseModel):
    """追回. `due_fen` must come back to the insurer; `in_words` says it in Chinese."""

    recovery_no: str
    clearing_no: str
    status: str
    status_since: datetime
    holder: str
    due_fen: int
    in_words: str


class ItemView(BaseModel):
    kind: str
    text: str


class DocumentRequestView(BaseModel):
    """`reason`: why more is asked for than the first time."""

    request_no: str
    items: list[ItemView]
    reason: str | None
    deadline: datetime
    answered: bool


class ClockView(BaseModel):
    """One term: decision, prepay, payment or letter. `due_at` is the end of its last day, in which pauses up to now are
    counted; `paused_since` while it stands still; `late_at` since when it is known to be late."""

    kind: str
    in_words: str
    days: int
    started_at: datetime
    paused_s: int
    paused_since: datetime | None
    due_at: datetime
    late_at: datetime | None
    ended_at: datetime | None


class LetterView(BaseModel):
    """拒赔通知书 of a decision, to be downloaded under its id."""

    id: UUID
    title: str
    sha256: str
    issued_at: datetime


class StepView(BaseModel):
    """`status` is the claim's, or that of a recovery: recovery_waiting, recovery_open …"""

    at: datetime
    status: str
    holder: str


class WaitingView(BaseModel):
    code: str
    text: str
    since: datetime


class ClaimView(BaseModel):
    """`holder` says who must act now and `status_since` since when; `waiting` what keeps the claim from going on, where
    that is a fault of a third side."""

    id: UUID
    no: str
    status: str
    status_since: datetime
    holder: str
    person_id: UUID
    hospital_id: UUID
    insurer_id: UUID
    policy_no: str | None
    case_no: str | None
    payee_kind: str
    asked_fen: int
    approved_fen: int | None
    paid_fen: int
    accept_by: datetime | None
    waiting: WaitingView | None
    reasons: list[ReasonView]


class ClaimDetail(ClaimView):
    payable_fen: int
    bills: list[ClaimBillView]
    lines: list[LineView]
    recoveries: list[RecoveryView]
    document_requests: list[DocumentRequestView]
    clocks: list[ClockView]
    letters: list[LetterView]
    timeline: list[StepView]


class ClaimPage(PageView):
    items: list[ClaimView]


class ClaimQuery(PageQuery):
    """`no`: the claim number; `case_no`: the insurer's own number (赔案号)."""

    no: Key | None = None
    case_no: Key | None = None


class ClaimSearch(ClaimQuery):
    clearing_no: Key | None = None
    status: Key | None = None


class RecoveryQuery(PageQuery):
    status: Literal["waiting", "open", "repaid", "written_off", "void"] = "open"


class RecoveryItem(RecoveryView):
    claim_id: UUID
    claim_no: str
    case_no: str | None
    insurer_id: UUID


class RecoveryPage(PageView):
    items: list[RecoveryItem]


class LateQuery(PageQuery):
    kind: Literal["decision", "prepay", "payment", "letter"] | None = None


class LateItem(ClockView):
    """`holder` must act now, since `holder_since`."""

    claim_id: UUID
    claim_no: str
    case_no: str | None
    hospital_id: UUID
    insurer_id: UUID
    status: str
    holder: str
    holder_since: datetime


class LatePage(PageView):
    items: list[LateItem]


class Timeline(BaseModel):
    items: list[StepView]


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
    lines: Annotated[list[AdjudicatedLineIn], Field(max_length=5000)]
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
