from __future__ import annotations

import uuid
from typing import Any
from uuid import UUID

from app.notification import service
from tests.app.patients import House, Known


def tell(house: House, patient: Known, template: str = "registered", **how: Any) -> UUID:
    """A notice to a patient; the id of its row."""
    dedupe, person_id = how.pop("dedupe", uuid.uuid4().hex), how.pop("person_id", None)
    with house.runtime.work() as work:
        service.notify(work, template, service.Told(patient.account_id, uuid.uuid4(), dedupe, person_id), how)
    found: UUID = house.value("SELECT id FROM notice WHERE dedupe = :dedupe", dedupe=dedupe)
    return found


def notice(house: House, notice_id: UUID) -> Any:
    (row,) = house.rows("SELECT * FROM notice WHERE id = :id", id=notice_id)
    return row


def shown(house: House, patient: Known, kind: str = "template") -> list[dict[str, Any]]:
    """What the patient's phone shows of a kind, oldest first."""
    inbox = house.wechat.memory.load("inbox").values()
    return [entry for entry in inbox if entry["user"] == patient.user and entry["kind"] == kind]


def texts(house: House, patient: Known) -> list[str]:
    """Templates of the SMS that came to the patient's phone."""
    return [one["template_id"] for one in house.sms.messages if one["phone"] == patient.phone]
