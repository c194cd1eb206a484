"""Patients and operators: what they send about claims, and what they see."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
    model_validator,
)

from app.claim.contracts.fields import Base64, Key, LineNo, Text
from app.claim.rules import MAX_BILLS
from app.claim.states import RecoveryState, State
from app.core.paging import PageQuery, PageView

# A request may have 16 MiB (app.factory), of which base64 makes 12 MB.
FILES_TOGETHER = "文件合计不超过 12 MB：整个请求不得超过 16 MB，超过时答复 413 too_large"


class Input(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class DocumentIn(Input):
    """A photograph or a scan, of 3 MB at most and beginning as its media type does. `kind` is what the insurer asked
    for, or `identity_image`."""

    kind: Key
    title: Text
    media_type: Literal["image/jpeg", "image/png", "application/pdf"]
    content_base64: Base64 = Field(description="文件内容的 base64；每个文件不超过 3 MB")


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
    documents: Annotated[list[DocumentIn], Field(max_length=6, description=FILES_TOGETHER)] = []


class SendDocuments(Input):
    documents: Annotated[list[DocumentIn], Field(min_length=1, max_length=12, description=FILES_TOGETHER)]


class LineRef(Input):
    clearing_no: Key
    line_no: LineNo


class AppealIn(Input):
    """Which lines; none means the whole decision."""

    lines: Annotated[list[LineRef], Field(max_length=200)] = []
    reason: Text


class AcceptIn(Input):
    """`decision_no`: the decision that was read. It may be left away where the insurer has decided once."""

    decision_no: Key | None = None


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
    lost_fen: int = Field(description="医院更正结算单后，核定金额中不再赔付的部分")
    payable_fen: int


class RecoveryView(BaseModel):
    """追回. `due_fen` must come back to the insurer; `in_words` says it in Chinese."""

    recovery_no: str
    clearing_no: str
    status: RecoveryState
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
    """`until`: when the waiting ends, and the claim with it; None where there is no such end."""

    code: str
    text: str
    since: datetime
    until: datetime | None = None


class ClaimView(BaseModel):
    """`holder` says who must act now and `status_since` since when; `waiting` what keeps the claim from going on, where
    that is neither the patient nor the claim's own insurer."""

    id: UUID
    no: str
    status: State
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
    """`decision_no`: the insurer's number of the decision in force, whose `lines` these are."""

    decision_no: str | None
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
