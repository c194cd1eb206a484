"""What became of a notice: delivered, tried again, given up, or taken over by an SMS."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.core.errors import NotFound
from app.core.work import Work
from app.identity import service as identity
from app.notification import rules
from app.notification.models import Notice
from app.notification.states import State, notices
from app.notification.writing import DELIVER, text


def content(work: Work, notice_id: UUID, why: str) -> tuple[Notice, Any]:
    """A notice with what it says; the reading is audited."""
    row = work.session.get(Notice, notice_id)
    if row is None:
        raise NotFound
    return row, said(work, row, why)


def said(work: Work, row: Notice, why: str) -> Any:
    return json.loads(work.reveal(row, "content_sealed", why))


def withheld(work: Work, notice_id: UUID) -> bool:
    """Whether its user is not bound to the person any more since it was written; it is buried then."""
    row = work.session.get(Notice, notice_id)
    if row is None or row.status not in (State.PENDING, State.RETRYING) or _is_entitled(work, row):
        return False
    notices.move(work, [notice_id], "bury", values={"refused_code": "unbound"}, lenient=True)
    return True


def delivered(work: Work, notice_id: UUID, provider_no: str | None) -> None:
    notices.move(work, [notice_id], "deliver", values={"provider_no": provider_no}, lenient=True)


def failed(work: Work, row: Notice, code: str, *, for_good: bool) -> None:
    """A try failed. Where WeChat cannot reach the user for good, an SMS goes in its place."""
    event = "bury" if for_good else "retry"
    values = {"refused_code": code[:60], "tries": Notice.tries + 1}
    moved = notices.move(work, [row.id], event, values=values, lenient=True)
    if moved and for_good and row.channel == "wechat" and _is_entitled(work, row):
        _fall_back(work, row)


def job_finished(work: Work, app_id: str, msgid: str, status: str) -> bool:
    """TEMPLATESENDJOBFINISH: WeChat says afterwards that a message did not come through. False if no notice of this
    account is known by that number yet."""
    sent = select(Notice).where(Notice.provider_no == msgid, Notice.channel == "wechat")
    for row in work.session.scalars(sent):
        assert row.account_id is not None
        if identity.account(work.session, row.account_id).app_id == app_id:
            failed(work, row, status, for_good=True)
            return True
    return False


def replay(work: Work, notice_id: UUID) -> None:
    """A dead notice is tried again. LostRace for one that is not dead."""
    notices.move(work, [notice_id], "replay")
    work.later(DELIVER, notice_id)


def _is_entitled(work: Work, row: Notice) -> bool:
    if row.account_id is None or row.person_id is None:
        return True
    pair = (row.account_id, row.person_id)
    return pair in identity.bound_pairs(work.session, [pair])


def _fall_back(work: Work, row: Notice) -> None:
    """An SMS to the phone of the user's own person, if there is one, and if the message may go by SMS."""
    assert row.account_id is not None
    template = rules.TEMPLATES[row.template].sms
    phone = _phone(work, row.account_id)
    if phone is not None and template is not None:
        text(work, phone, template, {}, f"sms:{row.dedupe}")


def _phone(work: Work, account_id: UUID) -> str | None:
    """The account's own phone, else that of somebody it acts for."""
    bound = [b for b in identity.live_bindings(work.session, account_id) if b.person is not None]
    own = next((b for b in bound if b.relation == "self"), next(iter(bound), None))
    if own is None or own.person is None:
        return None
    return identity.facts(work, own.person.id, "SMS in place of a WeChat message").phone
