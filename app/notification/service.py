"""Writing notices with the data they are about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.core.errors import NotFound
from app.core.work import Work
from app.gateways.mail import Letter
from app.identity import service as identity
from app.notification import rules
from app.notification.models import Notice
from app.notification.states import State, notices

DELIVER = "notification.deliver"


def notify(
    work: Work, template: str, *, account_id: UUID, subject: UUID, params: Mapping[str, str], dedupe: str
) -> None:
    """Tell one WeChat user; the same `dedupe` again tells nothing."""
    rules.in_words(template, params)  # a missing parameter shows here and not in the worker
    row = Notice(account_id=account_id, channel="wechat", template=template, subject=subject, dedupe=dedupe)
    _write(work, row, {"params": dict(params)})


def notify_person(work: Work, template: str, person_id: UUID, subject: UUID, params: Mapping[str, str]) -> None:
    """Tell everybody who is bound to a person."""
    for account_id in identity.accounts_of_person(work.session, person_id):
        dedupe = f"{template}:{subject}:{account_id}"
        notify(work, template, account_id=account_id, subject=subject, params=params, dedupe=dedupe)


def text(work: Work, phone: str, sms_template: str, params: Mapping[str, str], dedupe: str) -> None:
    """An SMS by registered template."""
    row = Notice(channel="sms", template=sms_template, dedupe=dedupe)
    _write(work, row, {"phone": phone, "params": dict(params)})


def mail(work: Work, letter: Letter, dedupe: str) -> None:
    """An e-mail with pictures and attachments."""
    content = {
        "to": list(letter.to),
        "subject": letter.subject,
        "html": letter.html,
        "inline": [file.to_json("name") for file in letter.inline],
        "attachments": [file.to_json("name") for file in letter.attachments],
    }
    _write(work, Notice(channel="mail", template="letter", dedupe=dedupe), content)


def _write(work: Work, row: Notice, content: dict[str, Any]) -> None:
    work.session.flush()
    if work.session.scalar(select(Notice.id).where(Notice.dedupe == row.dedupe)) is not None:
        return
    row.content_sealed = work.privacy.seal_json(content, f"notice:content_sealed:{row.id}")
    notices.start(work, row, State.PENDING)
    work.session.flush()
    work.later(DELIVER, row.id)


def delivered(work: Work, notice_id: UUID, provider_no: str | None) -> None:
    notices.move(work, [notice_id], "deliver", values={"provider_no": provider_no}, lenient=True)


def failed(work: Work, notice_id: UUID, code: str, *, for_good: bool) -> None:
    event = "bury" if for_good else "retry"
    values = {"refused_code": code, "tries": Notice.tries + 1}
    notices.move(work, [notice_id], event, values=values, lenient=True)


def fall_back(work: Work, row: Notice) -> None:
    """WeChat cannot reach this user: an SMS to the phone of the user's own person, if there is one."""
    assert row.account_id is not None
    phone = _phone(work, row.account_id)
    template = rules.TEMPLATES[row.template].sms
    if phone is not None and template is not None:
        text(work, phone, template, {}, f"sms:{row.dedupe}")


def _phone(work: Work, account_id: UUID) -> str | None:
    """The account's own phone, else that of somebody it acts for."""
    bound = [b for b in identity.live_bindings(work.session, account_id) if b.person is not None]
    own = next((b for b in bound if b.relation == "self"), next(iter(bound), None))
    if own is None or own.person is None:
        return None
    return identity.facts(work, own.person.id, "SMS in place of a WeChat message").phone


def job_finished(work: Work, msgid: str, status: str) -> None:
    """TEMPLATESENDJOBFINISH: WeChat says afterwards whether the message came through."""
    row = work.session.scalar(select(Notice).where(Notice.provider_no == msgid, Notice.channel == "wechat"))
    if row is not None and status != "success" and notices.move(work, [row.id], "bury", lenient=True):
        row.refused_code = status[:60]
        fall_back(work, row)


def replay(work: Work, notice_id: UUID) -> None:
    """A dead notice is tried again."""
    notices.move(work, [notice_id], "replay")
    work.later(DELIVER, notice_id)


def content(work: Work, notice_id: UUID) -> tuple[Notice, Any]:
    row = work.session.get(Notice, notice_id)
    if row is None:
        raise NotFound
    return row, work.privacy.open_json(row.content_sealed, f"notice:content_sealed:{row.id}")


def phone_code(work: Work, sms_code_id: UUID) -> None:
    """The six-digit code goes into the message and nowhere else."""
    issued = identity.issue_phone_code(work, sms_code_id)
    if issued is not None:
        text(work, issued.phone, rules.PHONE_CODE_SMS, {"code": issued.code}, f"phone-code:{sms_code_id}")
