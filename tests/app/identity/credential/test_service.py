"""What owners bring along, and that it is theirs and sealed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from app.core.errors import NotFound
from app.identity import service as identity
from tests.app.identity.kit import Clinic


def _party(clinic: Clinic, code: str) -> UUID:
    found: UUID = clinic.rows("SELECT id FROM party WHERE code = :code", code=code)[0].id
    return found


def _entries(clinic: Clinic, kind: str, owner: str) -> list[dict[str, Any]]:
    return [entry for entry in clinic.world["wechat"][kind] if entry["owner"] == owner]


def test_an_app_is_its_owners(clinic: Clinic) -> None:
    entry = _entries(clinic, "apps", "H1")[0]
    with clinic.runtime.read() as session:
        app = identity.app_credentials(session, clinic.runtime.privacy, entry["app_id"])
        assert (app.secret, app.token, app.aes_key) == (entry["secret"], entry["token"], entry["aes_key"])
        assert app.party_id == _party(clinic, "H1") == identity.party_of_app(session, entry["app_id"])
        assert identity.apps_of(session, app.party_id) == [one["app_id"] for one in _entries(clinic, "apps", "H1")]
        assert not any(secret in repr(app) for secret in (app.secret, app.token, app.aes_key))
        with pytest.raises(NotFound):
            identity.app_credentials(session, clinic.runtime.privacy, "wx0")


def test_a_merchant_is_found_by_owner_and_by_number(clinic: Clinic) -> None:
    entry = _entries(clinic, "merchants", "I2")[0]
    with clinic.runtime.read() as session:
        by_owner = identity.merchant_credentials(session, clinic.runtime.privacy, party_id=_party(clinic, "I2"))
        by_number = identity.merchant_credentials(session, clinic.runtime.privacy, mchid=entry["mchid"])
        assert by_owner == by_number and by_owner.private_key_pem == entry["private_key_pem"]
        assert by_owner.apiv3_key == entry["apiv3_key"] and by_owner.app_ids == tuple(sorted(entry["app_ids"]))
        assert "PRIVATE KEY" not in repr(by_owner)
        with pytest.raises(NotFound):
            identity.merchant_credentials(session, clinic.runtime.privacy, mchid="1")


def test_a_merchant_pays_only_to_apps_it_is_bound_to(clinic: Clinic) -> None:
    with clinic.runtime.read() as session:
        assert identity.merchant_may_use(session, _party(clinic, "I2"), clinic.app_id("H2", "oa"))
        assert not identity.merchant_may_use(session, _party(clinic, "I2"), clinic.app_id("H2", "mini"))
        assert not identity.merchant_may_use(session, _party(clinic, "B1"), clinic.app_id())


def test_an_insurer_has_one_account_to_pay_from(clinic: Clinic) -> None:
    with clinic.runtime.read() as session:
        account = identity.paying_bank_account(session, clinic.runtime.privacy, _party(clinic, "I1"))
        assert (account.account, account.mask) == ("6222020200011223347", "622************3347")
        assert account.account not in repr(account)
        with pytest.raises(NotFound):
            identity.paying_bank_account(session, clinic.runtime.privacy, _party(clinic, "H1"))


def test_no_secret_of_an_owner_is_stored_in_plain_text(clinic: Clinic) -> None:
    wechat = clinic.world["wechat"]
    secrets = [app[name] for app in wechat["apps"] for name in ("secret", "token", "aes_key")]
    secrets += [m["apiv3_key"] for m in wechat["merchants"]] + ["PRIVATE KEY", "6222020200011223347", "whsec_"]
    for table in ("wechat_app", "merchant", "bank_account", "party", "partner", "partner_key"):
        rows = clinic.rows(f"SELECT * FROM {table}")  # noqa: S608
        assert rows and not any(secret in str(row) for row in rows for secret in secrets), table


def test_who_follows_is_noted_also_before_the_first_login(clinic: Clinic) -> None:
    user = clinic.user()
    with clinic.runtime.work() as work:
        account_id = identity.follow(work, clinic.app_id(), clinic.openid(user), True)
    patient = clinic.log_in(user=user)
    assert patient.account_id == account_id
    with clinic.runtime.read() as session:
        assert identity.account(session, account_id).following
        assert identity.payment_identity(session, account_id) == (clinic.app_id(), clinic.openid(user))
        assert identity.account_by_openid(session, clinic.app_id("H2"), clinic.openid(user)) is None
    with clinic.runtime.work() as work:
        assert identity.follow(work, clinic.app_id(), clinic.openid(user), False) == account_id
    with clinic.runtime.read() as session:
        assert not identity.account(session, account_id).following
