from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from app.identity.operators import rules

NOW = datetime(2026, 11, 21, 8, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("roles", "duty"),
    [
        (["claims"], "business"),
        (["claims", "finance", "payout_approver"], "business"),
        (["auditor"], "auditor"),
        (["administrator", "security"], None),
        (["auditor", "finance"], None),
        (["cook"], None),
        (["cook", "claims"], None),
        ([], None),
    ],
)
def test_roles_share_one_duty_or_exclude_each_other(roles: list[str], duty: str | None) -> None:
    assert rules.duty_of(roles) == duty


def test_a_password_is_salted_and_checked() -> None:
    one, two = rules.hash_password("一个很长的密码"), rules.hash_password("一个很长的密码")
    assert one != two and one.startswith("$argon2id$")
    assert rules.is_password("一个很长的密码", one)
    assert not rules.is_password("另一个密码", one)
    assert not rules.is_password("nobody has this password", None)
    assert not rules.is_password("x", "not a hash")


def test_a_one_time_password_names_its_step() -> None:
    totp, step = pyotp.TOTP(secret := pyotp.random_base32()), int(NOW.timestamp()) // 30
    found = {
        shift: rules.totp_step(secret, totp.at(NOW + timedelta(seconds=30 * shift)), NOW) for shift in range(-3, 4)
    }
    assert found == {-3: None, -2: None, -1: step - 1, 0: step, 1: step + 1, 2: None, 3: None}
    assert rules.totp_step(secret, "12345", NOW) is None
