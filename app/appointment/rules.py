from __future__ import annotations

from datetime import timedelta

PAYMENT_LIFE = timedelta(minutes=15)
NEARBY = 5  # how many free slots a refusal names
# One question to the hospital stands so long; after so long without any answer the place is given up.
COMMAND_LIFE = timedelta(seconds=30)
CONFIRM_PATIENCE = timedelta(minutes=10)
# A visit may be pushed late: so long after its slot nobody has missed it.
MISSED_AFTER = timedelta(hours=24)
MISSED_AT_ONCE = 500
SILENT = "hospital_silent"
# What the hospital's refusals mean to the patient.
REFUSALS = {
    "slot_full": "该号源已约满",
    "slot_stopped": "医生停诊，该号源已取消",
    SILENT: "医院暂时无法确认，请稍后再约",
}
REFUSED = "医院未能确认该预约"
STOPPED = REFUSALS["slot_stopped"]


def ask_pause(tries: int) -> timedelta:
    """How long to wait before the hospital is asked again: 1, 2, 4 … seconds, at most a minute."""
    return timedelta(seconds=min(2 ** max(tries - 1, 0), 60))
