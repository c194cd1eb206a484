"""Credentials of an owner, opened for whoever is about to call WeChat or the bank in that owner's name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, bindparam, select
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.core.privacy import Privacy
from app.identity.credential.models import BankAccount, Merchant, MerchantApp, WechatApp

# Columns and not a row of the ORM, made once: every notice and every push of WeChat's asks for it.
_APP_TABLE = cast(Table, WechatApp.__table__)
_APP = select(_APP_TABLE).where(_APP_TABLE.c.app_id == bindparam("of_app"))


@dataclass(frozen=True)
class AppCredentials:
    """A public account (kind "oa") or mini-program ("mini"); secrets stay out of its repr."""

    app_id: str
    party_id: UUID
    kind: str
    original_id: str
    domain: str
    mode: str
    templates: dict[str, Any]
    secret: str = field(repr=False)
    token: str = field(repr=False)
    aes_key: str = field(repr=False)


@dataclass(frozen=True)
class MerchantCredentials:
    mchid: str
    party_id: UUID
    serial_no: str
    wechat_public_key_id: str
    wechat_public_key_pem: str
    app_ids: tuple[str, ...]
    private_key_pem: str = field(repr=False)
    apiv3_key: str = field(repr=False)


@dataclass(frozen=True)
class PayingAccount:
    party_id: UUID
    holder: str
    mask: str
    account: str = field(repr=False)


def app_credentials(session: Session, privacy: Privacy, app_id: str) -> AppCredentials:
    """NotFound for an app that nobody has registered here."""
    row = session.execute(_APP, {"of_app": app_id}).one_or_none()
    if row is None:
        raise NotFound("app_unknown", "没有这个公众号或小程序")
    return AppCredentials(
        app_id=row.app_id,
        party_id=row.party_id,
        kind=row.kind,
        original_id=row.original_id,
        domain=row.domain,
        mode=row.mode,
        templates=row.templates,
        secret=_open(privacy, WechatApp, row, "secret_sealed"),
        token=_open(privacy, WechatApp, row, "token_sealed"),
        aes_key=_open(privacy, WechatApp, row, "aes_key_sealed"),
    )


def apps_of(session: Session, party_id: UUID) -> list[str]:
    """App ids of one owner, its public account first."""
    wanted = select(WechatApp.app_id).where(WechatApp.party_id == party_id)
    return list(session.scalars(wanted.order_by(WechatApp.kind.desc(), WechatApp.app_id)))


def party_of_app(session: Session, app_id: str) -> UUID:
    found = session.scalar(select(WechatApp.party_id).where(WechatApp.app_id == app_id))
    if found is None:
        raise NotFound("app_unknown", "没有这个公众号或小程序")
    return found


def merchant_credentials(
    session: Session, privacy: Privacy, *, party_id: UUID | None = None, mchid: str | None = None
) -> MerchantCredentials:
    """By owner or by merchant number. NotFound where there is none."""
    by = Merchant.mchid == mchid if mchid is not None else Merchant.party_id == party_id
    row = session.scalars(select(Merchant).where(by)).one_or_none()
    if row is None:
        raise NotFound("merchant_unknown", "没有这个商户号")
    apps = select(MerchantApp.app_id).where(MerchantApp.merchant_id == row.id).order_by(MerchantApp.app_id)
    return MerchantCredentials(
        mchid=row.mchid,
        party_id=row.party_id,
        serial_no=row.serial_no,
        wechat_public_key_id=row.wechat_public_key_id,
        wechat_public_key_pem=row.wechat_public_key_pem,
        app_ids=tuple(session.scalars(apps)),
        private_key_pem=_open(privacy, Merchant, row, "private_key_sealed"),
        apiv3_key=_open(privacy, Merchant, row, "apiv3_key_sealed"),
    )


def merchant_owners(session: Session) -> Sequence[UUID]:
    """The parties that have a merchant number."""
    return session.scalars(select(Merchant.party_id).order_by(Merchant.mchid)).all()


def merchant_may_use(session: Session, party_id: UUID, app_id: str) -> bool:
    """Whether the owner's merchant number is bound to the app, so that it can pay to or order from its openids."""
    pair = select(MerchantApp).join(Merchant, Merchant.id == MerchantApp.merchant_id)
    pair = pair.where(Merchant.party_id == party_id, MerchantApp.app_id == app_id)
    return session.scalars(pair).one_or_none() is not None


def paying_bank_account(session: Session, privacy: Privacy, party_id: UUID) -> PayingAccount:
    """The account an insurer pays from. NotFound where it has none."""
    row = session.scalars(select(BankAccount).where(BankAccount.party_id == party_id)).one_or_none()
    if row is None:
        raise NotFound("bank_account_unknown", "没有付款银行账户")
    return PayingAccount(party_id, row.holder, row.account_mask, _open(privacy, BankAccount, row, "account_sealed"))


def _open(privacy: Privacy, model: type[WechatApp | Merchant | BankAccount], row: Any, column: str) -> str:
    """A secret of an owner: no personal data, so its reading is not audited."""
    return privacy.open(getattr(row, column), f"{model.__tablename__}:{column}:{row.id}")
