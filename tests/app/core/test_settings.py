from __future__ import annotations

import base64
from typing import Any

import pytest
from pydantic import ValidationError

from app.core.settings import DEVELOPMENT_KEY, Settings

PRODUCTION: dict[str, Any] = {
    "app_env": "production",
    "database_url": "postgresql+psycopg://db/zhipei",
    "redis_url": "redis://redis/0",
    "master_key": "a:" + base64.b64encode(b"x" * 32).decode(),
    "public_url": "https://zhipei.example",
    "exchange_url": "https://exchange.example",
}


def test_development_needs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "REDIS_URL", "MASTER_KEY", "APP_ENV"):
        monkeypatch.delenv(name, raising=False)
    assert Settings().app_env == "development"


def test_production_is_taken_when_everything_is_given() -> None:
    assert Settings(**PRODUCTION).app_env == "production"


@pytest.mark.parametrize("name", sorted(set(PRODUCTION) - {"app_env"}))
def test_production_is_refused_while_something_is_missing(name: str) -> None:
    with pytest.raises(ValidationError, match=name.upper()):
        Settings(**{key: value for key, value in PRODUCTION.items() if key != name})


@pytest.mark.parametrize(
    "wrong",
    [
        {"master_key": DEVELOPMENT_KEY},
        {"wechat_api_url": "http://127.0.0.1:8080"},
        {"wechat_pay_url": "https://pay.example"},
        {"wechat_open_url": "http://open.weixin.qq.com"},
        {"caller_limit": "off"},
    ],
)
def test_production_takes_no_stand_ins(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="not allowed in production"):
        Settings(**PRODUCTION | wrong)


def test_what_is_wrong_is_told_without_the_key() -> None:
    with pytest.raises(ValidationError) as told:
        Settings(**{name: value for name, value in PRODUCTION.items() if name != "public_url"})
    assert "PUBLIC_URL" in str(told.value) and PRODUCTION["master_key"][-8:] not in str(told.value)


def test_what_is_set_to_nothing_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "")
    assert Settings().redis_url.startswith("redis://")
    with pytest.raises(ValidationError, match="redis_url"):
        Settings(redis_url="bogus")


@pytest.mark.parametrize("wrong", [{"caller_limit": "bogus"}, {"partner_limit": "bogus"}, {"partner_limit": "off"}])
def test_a_limit_that_nobody_can_read_is_refused(wrong: Any) -> None:
    with pytest.raises(ValidationError, match="_limit"):
        Settings(**wrong)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUSINESS_DATE", "2026-11-21")
    monkeypatch.setenv("DATABASE_POOL_SIZE", "0")
    with pytest.raises(ValidationError):
        Settings()
    monkeypatch.setenv("DATABASE_POOL_SIZE", "7")
    found = Settings()
    assert (str(found.business_date), found.database_pool_size) == ("2026-11-21", 7)
