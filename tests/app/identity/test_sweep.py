"""What ends by time is cleared away, and nothing else."""

from __future__ import annotations

from datetime import timedelta

import time_machine

from app.identity import sweep
from tests.app.identity.kit import Clinic, phone_number

TABLES = ("login_session", "refresh_token", "used_login_state", "sms_code")


def _counts(clinic: Clinic) -> dict[str, int]:
    return {table: clinic.rows(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}  # noqa: S608


def test_old_sessions_codes_and_states_go(clinic: Clinic) -> None:
    clinic.phone_code(clinic.log_in(), phone_number())
    before = _counts(clinic)
    for days, gone in ((0, ()), (1, ("used_login_state",)), (3, ("used_login_state", "sms_code")), (32, TABLES)):
        with time_machine.travel(clinic.runtime.clock.now() + timedelta(days=days)), clinic.runtime.work() as work:
            sweep.sweep(work)
        assert _counts(clinic) == {table: 0 if table in gone else before[table] for table in TABLES}, days
    clinic.log_in()
    assert _counts(clinic)["login_session"] == 1
