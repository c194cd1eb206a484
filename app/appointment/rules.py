from __future__ import annotations

from datetime import timedelta

PAYMENT_LIFE = timedelta(minutes=15)
NEARBY = 5  # how many free slots a refusal names
# What the hospital's refusals mean to the patient.
REFUSALS = {
    "slot_full": "该号源已约满",
    "slot_stopped": "医生停诊，该号源已取消",
}
REFUSED = "医院未能确认该预约"
