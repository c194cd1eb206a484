from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Role = Literal["claims", "finance", "payout_approver", "administrator", "security", "auditor"]


class OperatorLoginInput(BaseModel):
    model_config = ConfigDict(extra="forbid")

    login: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1, max_length=200)
    totp: str = Field(pattern=r"^[0-9]{6}$", description="动态口令")


class OperatorInput(BaseModel):
    model_config = ConfigDict(extra="forbid")

    login: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,63}$")
    password: str = Field(min_length=12, max_length=200)
    roles: list[Role] = Field(min_length=1, max_length=3)
    party: str | None = Field(None, max_length=40, description="医院或保险公司代码；平台人员不填")


class OperatorOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    login: str
    party_id: UUID | None
    active: bool
    roles: list[Role]


class NewOperatorOut(OperatorOut):
    totp_uri: str = Field(description="动态口令的登记地址，只显示这一次")


class OperatorsOut(BaseModel):
    operators: list[OperatorOut]
