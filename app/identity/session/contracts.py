"""Tokens as they cross HTTP."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class RefreshInput(BaseModel):
    model_config = ConfigDict(extra="forbid")

    refresh_token: str = Field(min_length=20, max_length=200)


class TokenView(BaseModel):
    """The access token goes into `Authorization: Bearer`; the refresh token is good for one refresh."""

    access_token: str
    token_type: str = "Bearer"
    expires_in_s: int
    refresh_token: str
    principal_id: UUID = Field(description="登录者的编号")


class DoneView(BaseModel):
    """Nothing to say but that it is done."""

    done: bool = True
