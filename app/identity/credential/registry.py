"""Entering what an owner brings along. Everything may be entered again: what is there is brought up to date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from app.core.db import Base
from app.core.privacy import mask_number
from app.core.work import Work
from app.identity.credential.models import BankAccount, Merchant, MerchantApp, WechatApp


@dataclass(frozen=True)
class NewApp:
    """`kind` oa or mini, `mode` plain, compatible or safe; `aes_key` has 43 characters."""

    app_id: str
    kind: str
    original_id: str
    domain: str
    mode: str
    templates: Mapping[str, Any]
    secret: str = field(repr=False)
    token: str = field(repr=False)
    aes_key: str = field(repr=False)


@dataclass(frozen=True)
class NewMerchant:
    """`app_ids` are the apps that WeChat Pay has bound to the merchant number."""

    mchid: str
    serial_no: str
    wechat_public_key_id: str
    wechat_public_key_pem: str
    app_ids: Sequence[str]
    private_key_pem: str = field(repr=False)
    apiv3_key: str = field(repr=False)


def put_app(work: Work, party_id: UUID, new: NewApp) -> None:
    row = work.session.scalars(select(WechatApp).where(WechatApp.app_id == new.app_id)).one_or_none()
    row = row or WechatApp(app_id=new.app_id)
    row.party_id, row.kind, row.original_id = party_id, new.kind, new.original_id
    row.domain, row.mode, row.templates = new.domain, new.mode, dict(new.templates)
    _keep(work, row, {"secret_sealed": new.secret, "token_sealed": new.token, "aes_key_sealed": new.aes_key})


def put_merchant(work: Work, party_id: UUID, new: NewMerchant) -> None:
    row = work.session.scalars(select(Merchant).where(Merchant.mchid == new.mchid)).one_or_none()
    row = row or Merchant(mchid=new.mchid)
    row.party_id, row.serial_no = party_id, new.serial_no
    row.wechat_public_key_id, row.wechat_public_key_pem = new.wechat_public_key_id, new.wechat_public_key_pem
    _keep(work, row, {"private_key_sealed": new.private_key_pem, "apiv3_key_sealed": new.apiv3_key})
    work.session.execute(delete(MerchantApp).where(MerchantApp.merchant_id == row.id))
    work.add(*(MerchantApp(merchant_id=row.id, app_id=app_id) for app_id in sorted(set(new.app_ids))))


def put_bank_account(work: Work, party_id: UUID, account: str, holder: str) -> None:
    row = work.session.scalars(select(BankAccount).where(BankAccount.party_id == party_id)).one_or_none()
    row = row or BankAccount(party_id=party_id)
    row.holder, row.account_mask = holder, mask_number(account)
    _keep(work, row, {"account_sealed": account})


def _keep(work: Work, row: Any, secrets: Mapping[str, str]) -> None:
    """Store the row; a secret is sealed again only when it has changed."""
    assert isinstance(row, Base)
    for column, value in secrets.items():
        sealed = getattr(row, column)
        if sealed is None or work.privacy.open(sealed, f"{row.__tablename__}:{column}:{row.id}") != value:  # type: ignore[attr-defined]
            work.seal(row, column, value)
    work.add(row)
    work.session.flush()
    work.audit(f"{row.__tablename__}.put", row.__tablename__, row.id)  # type: ignore[attr-defined]
