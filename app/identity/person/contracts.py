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
    ValidationInfo,
    field_validator,
    model_validator,
)

from app.core.moments import PlainDate
from app.identity.person import rules

Relation = Literal["self", "child", "parent", "spouse", "other"]
DocumentType = Literal[
    "id_card", "hmt_residence_permit", "foreign_permanent_residence", "passport", "birth_certificate"
]
# The hospital's or our refusal of a claim -> what the patient reads.
REFUSALS = {
    "name_mismatch": "姓名与医院登记的不一致，请核对；如有更名请到医院窗口更新",
    "document_unknown": "医院核对不到这个证件，请检查证件类型和号码",
    "phone_mismatch": "手机号与医院登记的不一致，请到医院窗口更新后再试",
    "details_differ": "与已核验过的信息不一致，请核对姓名和手机号，或到医院窗口办理",
    "revoked_by_hospital": "医院已解除这个绑定；如需继续使用，请到医院窗口核实后重新绑定",
    "patient_number_taken": "医院的就诊号已属于另一位就诊人，请到医院窗口办理",
}
TieText = Annotated[str, StringConstraints(min_length=1, max_length=120)]
REFUSED = "医院没有通过核对，请到医院窗口咨询"


class PhoneCodeInput(BaseModel):
    model_config = ConfigDict(extra="forbid")

    phone: str = Field(max_length=24, description="中国大陆手机号")

    @field_validator("phone")
    @classmethod
    def _phone(cls, value: str) -> str:
        return _checked(rules.plain_phone(value), rules.is_phone, "请填写 11 位手机号")


class PhoneCodeView(BaseModel):
    expires_in_s: int = int(rules.CODE_LIFE.total_seconds())
    again_in_s: int = int(rules.CODE_PAUSE.total_seconds())


class GuardianProof(BaseModel):
    """What shows that the account's owner is the child's guardian."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["household_register", "birth_certificate", "adoption_certificate", "court_decision"]
    number: str = Field(min_length=1, max_length=60)


class BindingInput(PhoneCodeInput):
    """A claim to act for a person. `birth_date` and `sex` are needed where the document's number does not hold them."""

    name: str = Field(max_length=60, description="与证件一致，可含间隔号·")
    document_type: DocumentType
    document_no: str = Field(max_length=40)
    phone_code: str = Field(pattern=r"^[0-9]{6}$", description="短信验证码")
    medical_card_no: str | None = Field(None, max_length=40, description="医保卡号")
    relation: Relation
    birth_date: PlainDate | None = None
    sex: Literal["male", "female"] | None = None
    guardian_proof: GuardianProof | None = Field(None, description="绑定未满 14 周岁的儿童时必填")
    consent: Literal[True] = Field(description="同意把以上信息交给医院核对")

    @field_validator("consent", mode="before")
    @classmethod
    def _consent(cls, value: object) -> object:
        return value if isinstance(value, bool) else None  # 1 equals True, and is no consent

    @field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        return _checked(rules.plain_name(value), rules.is_name, "请填写与证件一致的姓名")

    @field_validator("medical_card_no")
    @classmethod
    def _card(cls, value: str | None) -> str | None:
        if not value:
            return None
        return _checked(rules.plain_number(value), rules.is_card, "医保卡号格式不正确")

    @field_validator("document_no")
    @classmethod
    def _number(cls, value: str, others: ValidationInfo) -> str:
        number, kind = rules.plain_number(value), others.data.get("document_type")
        if kind is not None and not rules.is_document(kind, number):
            raise ValueError("证件号码不正确，请核对")
        return number

    @model_validator(mode="after")
    def _birth_and_sex(self) -> BindingInput:
        spoken = rules.spoken_facts(self.document_type, self.document_no)
        birth_date, sex = spoken or (self.birth_date, self.sex)
        if birth_date is None or sex is None:
            raise ValueError("请填写出生日期和性别")
        if self.birth_date not in (None, birth_date) or self.sex not in (None, sex):
            raise ValueError("出生日期或性别与证件号码不一致")
        self.birth_date, self.sex = birth_date, sex  # type: ignore[assignment]
        return self


class PersonOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name_mask: str
    document_type: DocumentType
    document_mask: str
    phone_mask: str
    birth_date: date
    sex: Literal["male", "female"]
    has_medical_card: bool
    identity_image: bool


class BindingOut(BaseModel):
    """`status`: pending 医院核对中, live 已绑定, refused 未通过, expired 医院未及时答复, revoked 已解除."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    status: Literal["pending", "live", "refused", "expired", "revoked"]
    status_since: datetime
    relation: Relation
    name_mask: str
    hospital_id: UUID
    refused_code: str | None = None
    reason: str | None = Field(None, description="未通过或被医院解除的原因")
    person: PersonOut | None = None


class BindingsOut(BaseModel):
    bindings: list[BindingOut]


class TieIn(BaseModel):
    """One tie on the hospital's machine; also what `tie.revoked` tells."""

    account_ref: TieText
    patient_no: TieText

    @property
    def pair(self) -> tuple[str, str]:
        return self.account_ref, self.patient_no


class TiesIn(BaseModel):
    """The answer to `list_ties`: live ties, and those that the hospital has revoked and we have not ended yet."""

    ties: list[TieIn]
    revoked: list[TieIn] = []


class PulledIn(BaseModel):
    """The answer to `pull_patient` (`complete`), or to `pull_patients` (`incomplete`: those of whom more follows)."""

    complete: StrictBool = True
    incomplete: list[str] = []

    def lacks(self, patient_no: str) -> bool:
        return not self.complete or patient_no in self.incomplete


class TieCounts(BaseModel):
    """`failure` says why the list that was last asked for has not come: unanswered, or a code."""

    model_config = ConfigDict(from_attributes=True)

    asked_at: datetime | None = None
    compared_at: datetime | None = Field(None, description="最近一次核对完成的时间")
    failure: str | None = Field(None, description="最近一次未能核对的原因")
    ours: int | None = Field(None, description="平台的绑定数")
    theirs: int | None = Field(None, description="医院前置机上的绑定数")
    missing: int | None = Field(None, description="医院缺少、已补发的绑定数")
    left_over: int | None = Field(None, description="医院多出、已通知解除的绑定数")
    revoked: int | None = Field(None, description="医院主动解除、平台随之结束的绑定数")


class TieComparisonView(TieCounts):
    hospital: str
    name: str
    patients_waiting: int = Field(0, description="正在等待该医院数据的就诊人数")
    waiting_since: datetime | None = None


class TieComparisonList(BaseModel):
    items: list[TieComparisonView]


def _checked(value: str, fits: rules.Fits, message: str) -> str:
    if not fits(value):
        raise ValueError(message)
    return value
