"""What the environment decides. Nothing personal, no owner's secret: those live in tables, encrypted."""

from __future__ import annotations

from datetime import date
from typing import Literal

from limits import parse_many
from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.core.signing import read_seeds

# `front` is public and console in one process, as a small site or the demonstration runs them.
Role = Literal["all", "front", "public", "exchange", "console"]
# Thirty-two bytes everybody can read: refused in production.
DEVELOPMENT_KEY = "dev:ZGV2ZWxvcG1lbnQtb25seS1kZXZlbG9wbWVudC1vbmw="

NO_LIMIT = "off"  # for load tests


class Settings(BaseSettings):
    """Each field is the environment variable of the same name in capitals; README lists them."""

    model_config = SettingsConfigDict(
        extra="ignore",
        env_ignore_empty=True,
        hide_input_in_errors=True,  # the input holds the keys
    )

    app_env: Literal["development", "production"] = "development"
    role: Role = "all"
    database_url: str = "postgresql+psycopg://localhost/zhipei"
    redis_url: str = "redis://localhost:6379/0"
    master_key: str = DEVELOPMENT_KEY
    # What claim packages are signed with: the first signs, all are announced. Empty: derived from MASTER_KEY.
    package_signing_keys: str = ""
    business_date: date | None = None
    log_level: str = "INFO"
    public_url: str = "http://127.0.0.1:8000"
    exchange_url: str = "http://127.0.0.1:8001"
    # Hosts of WeChat; only development may point them at a stand-in.
    wechat_api_url: str = "https://api.weixin.qq.com"
    wechat_open_url: str = "https://open.weixin.qq.com"
    wechat_pay_url: str = "https://api.mch.weixin.qq.com"
    # Where the finance authority verifies e-bills; empty: no claim's e-bills are verified there.
    e_bill_authority_url: str = ""
    e_bill_authority_key: str = ""
    sms_url: str = ""
    sms_key: str = ""
    mail_url: str = ""
    mail_key: str = ""
    mail_from: str = "zhipei@localhost"
    # Who gets the platform's own report of the nightly reconciliation, separated by commas.
    finance_mails: str = ""
    finance_phones: str = ""
    database_pool_size: int = Field(5, ge=1)
    # Requests that `asgi:app` answers at once. A long poll of a partner keeps a thread: twice as many as partners.
    web_threads: int = Field(8, ge=1)
    # Proxies of ours in front that say whom they speak for (X-Forwarded-For, -Proto); nobody else is believed.
    proxy_hops: int = Field(0, ge=0)
    registration_batch: int = Field(200, ge=1)
    partner_timeout_s: float = Field(10.0, gt=0)
    # Pending and booked appointments at once; a person may be bound to several accounts.
    appointments_per_person: int = Field(5, ge=1)
    appointments_per_account: int = Field(20, ge=1)
    caller_limit: str = "240 per minute"
    partner_limit: str = "12000 per minute"

    @field_validator("redis_url")
    @classmethod
    def _names_a_server(cls, url: str) -> str:
        if not url.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("it must begin with redis://, rediss:// or unix://")
        return url

    @field_validator("package_signing_keys")
    @classmethod
    def _are_keys(cls, keys: str) -> str:
        read_seeds(keys)
        return keys

    @field_validator("caller_limit", "partner_limit")
    @classmethod
    def _readable(cls, limit: str, info: ValidationInfo) -> str:
        if limit != NO_LIMIT or info.field_name != "caller_limit":
            parse_many(limit)
        return limit

    @model_validator(mode="after")
    def _nothing_defaulted_in_production(self) -> Settings:
        if self.app_env != "production":
            return self
        required = {"database_url", "redis_url", "master_key", "public_url", "exchange_url"}
        missing = sorted(name.upper() for name in required - self.model_fields_set)
        if missing:
            raise ValueError(f"production needs {', '.join(missing)} in the environment")
        hosts = {
            "WECHAT_API_URL": (self.wechat_api_url, ("https://api.weixin.qq.com",)),
            "WECHAT_OPEN_URL": (self.wechat_open_url, ("https://open.weixin.qq.com",)),
            "WECHAT_PAY_URL": (
                self.wechat_pay_url,
                ("https://api.mch.weixin.qq.com", "https://api2.mch.weixin.qq.com"),
            ),
        }
        wrong = [name for name, (value, allowed) in hosts.items() if value not in allowed]
        if wrong or self.master_key == DEVELOPMENT_KEY:
            raise ValueError(f"not allowed in production: {', '.join(wrong) or 'the development MASTER_KEY'}")
        if self.caller_limit == NO_LIMIT:
            raise ValueError("not allowed in production: CALLER_LIMIT off")
        return self
