"""Delivering notices: begin → call with no session open → finish."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass
from typing import Any

from app.core.errors import PartnerFault
from app.core.tasks import Job
from app.core.work import Runtime, Work
from app.gateways import Gateways
from app.gateways.mail import File, Letter
from app.gateways.wechat.api import TemplateMessage
from app.identity import service as identity
from app.identity.service import AppCredentials
from app.notification import rules, service
from app.notification.models import Notice
from app.notification.states import State

MAX_TRIES = 8


@dataclass(frozen=True)
class _Parcel:
    """What is needed to deliver one notice with no session open."""

    row: Notice
    content: Any
    app: AppCredentials | None
    openid: str


def deliver(runtime: Runtime, gateways: Gateways, job: Job) -> None:
    """Hand one notice to its provider under its own number; WeChat's refusal for good becomes an SMS."""
    with runtime.work() as work:
        parcel = _pack(work, job)
    if parcel.row.status not in (State.PENDING, State.RETRYING):
        return
    try:
        provider_no = _send(runtime, gateways, parcel)
    except PartnerFault as fault:
        for_good = fault.permanent or job.tries >= MAX_TRIES
        with runtime.work(finish=[job] if for_good else []) as work:
            service.failed(work, parcel.row.id, fault.code, for_good=for_good)
            if for_good and parcel.row.channel == "wechat" and fault.code in rules.FALL_BACK:
                service.fall_back(work, parcel.row)
        if for_good:
            return
        raise
    with runtime.work(finish=[job]) as work:
        service.delivered(work, parcel.row.id, provider_no)


def _pack(work: Work, job: Job) -> _Parcel:
    row, content = service.content(work, job.subject)
    if row.account_id is None:
        return _Parcel(row, content, None, "")
    account = identity.account(work.session, row.account_id)
    return _Parcel(row, content, identity.app_credentials(work.session, work.privacy, account.app_id), account.openid)


def _send(runtime: Runtime, gateways: Gateways, parcel: _Parcel) -> str | None:
    row, out_id = parcel.row, parcel.row.id.hex
    if row.channel == "sms":
        return gateways.sms.send(out_id, parcel.content["phone"], row.template, parcel.content["params"])
    if row.channel == "mail":
        return gateways.mail.send(out_id, _letter(parcel.content))
    assert parcel.app is not None
    template_id = parcel.app.templates.get(row.template) or parcel.app.templates.get("default")
    if template_id is None:
        raise PartnerFault("wechat", "40037", permanent=True)
    message = TemplateMessage(
        openid=parcel.openid,
        template_id=str(template_id),
        data=rules.wechat_data(row.template, parcel.content["params"], runtime.clock.now()),
        client_msg_id=out_id,
    )
    if parcel.app.kind == "mini":
        gateways.wechat.send_subscribed(parcel.app, message)
        return None
    return gateways.wechat.send_template(parcel.app, message)


def _letter(content: dict[str, Any]) -> Letter:
    def files(named: str) -> list[File]:
        return [File(f["name"], f["content_type"], b64decode(f["content_base64"])) for f in content[named]]

    return Letter(content["to"], content["subject"], content["html"], files("inline"), files("attachments"))


def phone_code(runtime: Runtime, _: Gateways, job: Job) -> None:
    with runtime.work(finish=[job]) as work:
        service.phone_code(work, job.subject)


def bound(runtime: Runtime, _: Gateways, job: Job) -> None:
    _about_binding(runtime, job, "bound")


def binding_refused(runtime: Runtime, _: Gateways, job: Job) -> None:
    _about_binding(runtime, job, "binding_refused")


def _about_binding(runtime: Runtime, job: Job, template: str) -> None:
    with runtime.work(finish=[job]) as work:
        account_id = identity.bound_pair(work.session, job.subject).account_id
        dedupe = f"{template}:{job.subject}"
        service.notify(work, template, account_id=account_id, subject=job.subject, params={}, dedupe=dedupe)
