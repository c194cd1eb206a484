from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

APP_ID = Field(pattern=r"^wx[0-9A-Za-z]{4,40}$", description="公众号或小程序的 AppID")
CODE = Field(min_length=1, max_length=512, description="微信给出的一次性 code")


class StateQuery(BaseModel):
    app_id: str = APP_ID


class StateView(BaseModel):
    """Open `authorize_url` inside WeChat; it comes back with `code` and this `state`, once, within `expires_in_s`."""

    state: str
    authorize_url: str
    expires_in_s: int


class WebLoginInput(BaseModel):
    model_config = ConfigDict(extra="forbid")

    app_id: str = APP_ID
    code: str = CODE
    state: str = Field(min_length=1, max_length=128, pattern=r"^[0-9A-Za-z]+$")


class MiniLoginInput(BaseModel):
    model_config = ConfigDict(extra="forbid")

    app_id: str = APP_ID
    code: str = CODE
