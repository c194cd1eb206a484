"""Writing notices with the data they are about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Text, any_, bindparam, select

from app.core.ids import new_id
from app.core.letters import Letter
from app.core.work import Work
from app.identity import service as identity
from app.notification import rules
from app.notification.models import Notice
from app.notification.states import State, notices

DELIVER = "notification.deliver"


@dataclass(frozen=True)
class Told:
    """A WeChat user who is told of `subject`, once for each `dedupe`. What is about a person is told to nobody who is
    not bound to that person any more; without `person_id` it is the user's own affair: a payment, the binding itself.
    A payer's own money always is (`rules.OF_THE_PAYER`).
    """

    account_id: UUID
    subject: UUID
    dedupe: str
    person_id: UUID | None = None


def notify(work: Work, template: str, told: Told, params: Mapping[str, str]) -> None:
    """Tell one WeChat user."""
    rules.in_words(template, params)  # a missing parameter shows here and not in the worker
    for one in _entitled(work, template, [told]):
        row = Notice(**asdict(one), channel="wechat", template=template)
        _write(work, row, {"params": dict(params)})


def tell_payer(work: Work, told: Told, what: str) -> None:
    """What was paid for has come about. Whoever paid and is bound to the person hears that by its own notice; whoever
    is not any more hears of the payment alone."""
    if not _entitled(work, "", [told]):
        notify(work, "payment_used", told, {"what": what})


def notify_all(work: Work, template: str, told: Sequence[Told], params: Mapping[str, str]) -> None:
    """As `notify`, for many users at once. Whoever else tells them the same at this moment makes it fail as a whole, to
    be tried again: the row that it is about should be locked."""
    rules.in_words(template, params)
    given = select(Notice.dedupe).where(Notice.dedupe == any_(bindparam("dedupes", type_=ARRAY(Text))))
    before = set(work.session.scalars(given, {"dedupes": [one.dedupe for one in told]}))
    content = {"params": dict(params)}
    rows = [_row(work, one, content) for one in _entitled(work, template, told) if one.dedupe not in before]
    notices.start_many(work, rows, State.PENDING, same={"channel": "wechat", "template": template, "tries": 0})
    for row in rows:
        work.later(DELIVER, row["id"])


def _entitled(work: Work, template: str, told: Sequence[Told]) -> list[Told]:
    if template in rules.OF_THE_PAYER:
        return [replace(one, person_id=None) for one in told]
    pairs = {(one.account_id, one.person_id) for one in told if one.person_id is not None}
    bound = identity.bound_pairs(work.session, pairs) if pairs else set()
    return [one for one in told if one.person_id is None or (one.account_id, one.person_id) in bound]


def _row(work: Work, told: Told, content: dict[str, Any]) -> dict[str, Any]:
    notice_id = new_id()
    return {
        "id": notice_id,
        "account_id": told.account_id,
        "person_id": told.person_id,
        "subject": told.subject,
        "dedupe": told.dedupe,
        "content_sealed": work.privacy.seal_json(content, _place(notice_id)),
    }


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
    row.content_sealed = work.privacy.seal_json(content, _place(row.id))
    if notices.start_once(work, row, State.PENDING, unless=["dedupe"]):
        work.later(DELIVER, row.id)


def _place(notice_id: UUID) -> str:
    return f"notice:content_sealed:{notice_id}"
