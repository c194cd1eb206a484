"""Keys and secrets belong to a hospital or an insurer and live here, sealed; none stands in the environment."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Row, Sealed


class WechatApp(Row, Base):
    """A public account (oa) or mini-program of a hospital or insurer. `templates` maps our key to WeChat's id, or to
    `{"id", "fields": {WeChat's field: our parameter}}`."""

    __tablename__ = "wechat_app"
    __table_args__ = (
        CheckConstraint("kind IN ('oa', 'mini')", name="kind"),
        CheckConstraint("mode IN ('plain', 'compatible', 'safe')", name="mode"),
    )

    party_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"), index=True)
    app_id: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    original_id: Mapped[str] = mapped_column(unique=True)
    domain: Mapped[str]
    mode: Mapped[str]
    secret_sealed: Mapped[Sealed]
    token_sealed: Mapped[Sealed]
    aes_key_sealed: Mapped[Sealed]
    templates: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Merchant(Row, Base):
    """A WeChat Pay merchant number: a hospital collects with its own, an insurer pays with its own."""

    __tablename__ = "merchant"

    party_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"), unique=True)
    mchid: Mapped[str] = mapped_column(unique=True)
    serial_no: Mapped[str]
    private_key_sealed: Mapped[Sealed]
    apiv3_key_sealed: Mapped[Sealed]
    wechat_public_key_id: Mapped[str]
    wechat_public_key_pem: Mapped[str]


class MerchantApp(Base):
    """The pair that WeChat Pay demands: this merchant may order from and pay to openids of this app."""

    __tablename__ = "merchant_app"

    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchant.id"), primary_key=True)
    app_id: Mapped[str] = mapped_column(ForeignKey("wechat_app.app_id"), primary_key=True, index=True)


class BankAccount(Row, Base):
    """The bank account an insurer pays from."""

    __tablename__ = "bank_account"

    party_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"), unique=True)
    account_sealed: Mapped[Sealed]
    account_mask: Mapped[str]
    holder: Mapped[str]
