"""Writing notices with the data they are about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.core.letters import Letter
from app.core.work import Work
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


def phone_code(work: Work, sms_code_id: UUID) -> None:
    """The six-digit code goes into the message and nowhere else."""
    issued = identity.issue_phone_code(work, sms_code_id)
    if issued is not None:
        text(work, issued.phone, rules.PHONE_CODE_SMS, {"code": issued.code}, f"phone-code:{sms_code_id}")


def _write(work: Work, row: Notice, content: dict[str, Any]) -> None:
    work.session.flush()  # whatever the notice points to
    row.content_sealed = work.privacy.seal_json(content, f"notice:content_sealed:{row.id}")
    if notices.start_once(work, row, State.PENDING, unless="dedupe"):
        work.later(DELIVER, row.id)
