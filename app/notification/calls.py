"""Delivering notices: begin → call with no session open → finish. Taking what WeChat pushes."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.core.errors import PartnerFault, TryLater
from app.core.letters import File, Letter
from app.core.tasks import Job
from app.core.work import Actor, Runtime, Work
from app.gateways import Gateways
from app.gateways.wechat import callback
from app.gateways.wechat.api import TemplateMessage
from app.identity import service as identity
from app.identity.service import AppCredentials
from app.notification import rules, service
from app.notification.models import Notice
from app.notification.states import State

MAX_TRIES = 8
JOB_PAUSE_S = 2.0


@dataclass(frozen=True)
class _Parcel:
    """What is needed to deliver one notice with no session open."""

    row: Notice
    content: Any
    app: AppCredentials | None
    openid: str


def deliver(runtime: Runtime, gateways: Gateways, job: Job) -> None:
    """Hand one notice to its provider under its own number; whoever WeChat cannot reach gets an SMS, and whoever is not
    bound any more to the person that it is about gets nothing."""
    with runtime.work() as work:
        parcel = None if service.withheld(work, job.subject) else _pack(work, job)
    if parcel is None or parcel.row.status not in (State.PENDING, State.RETRYING):
        return
    try:
        provider_no = _send(runtime, gateways, parcel)
    except PartnerFault as fault:
        for_good = fault.permanent or job.tries >= MAX_TRIES
        with runtime.work(finish=[job] if for_good else []) as work:
            service.failed(work, parcel.row, fault.code, for_good=for_good)
        if for_good:
            return
        raise
    with runtime.work(finish=[job]) as work:
        service.delivered(work, parcel.row.id, provider_no)


def _pack(work: Work, job: Job) -> _Parcel:
    row, content = service.content(work, job.subject, "delivery")
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
    message = _template_message(runtime, parcel, parcel.app)
    if parcel.app.kind == "mini":
        gateways.wechat.send_subscribed(parcel.app, message)
        return None
    return gateways.wechat.send_template(parcel.app, message)


def _template_message(runtime: Runtime, parcel: _Parcel, app: AppCredentials) -> TemplateMessage:
    """An account's template is its id, or {"id", "fields"} where it demands other fields than ours."""
    template = app.templates.get(parcel.row.template) or app.templates.get("default")
    if template is None:
        raise PartnerFault("wechat", "40037", permanent=True)
    known = template if isinstance(template, dict) else {"id": template, "fields": ()}
    params = parcel.content["params"]
    try:
        data = rules.wechat_data(parcel.row.template, params, runtime.clock.now(), known.get("fields") or ())
    except rules.UnfitField as error:
        raise PartnerFault("wechat", "47003", permanent=True) from error
    return TemplateMessage(
        openid=parcel.openid, template_id=str(known["id"]), data=data, client_msg_id=parcel.row.id.hex
    )


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


def unbound(runtime: Runtime, _: Gateways, job: Job) -> None:
    _about_binding(runtime, job, "unbound")


def _about_binding(runtime: Runtime, job: Job, template: str) -> None:
    with runtime.work(finish=[job]) as work:
        account_id = identity.bound_pair(work.session, job.subject).account_id
        service.notify(work, template, service.Told(account_id, job.subject, f"{template}:{job.subject}"), {})


def job_finished(runtime: Runtime, _: Gateways, job: Job) -> None:
    """WeChat's word on a message may be faster than its answer to the sending: then it is looked up again."""
    with runtime.work() as work:
        known = service.job_finished(work, job.args["app_id"], job.args["msgid"], job.args["status"])
    if not known and runtime.clock.now().timestamp() < job.args["until"]:
        raise TryLater(JOB_PAUSE_S)


def sweep(runtime: Runtime, _: Gateways, jobs: list[Job]) -> None:
    with runtime.work(finish=jobs) as work:
        service.forget_pushes(work)


def echo(runtime: Runtime, app_id: str, query: Mapping[str, str]) -> str | None:
    """What WeChat wants to read when it verifies the callback's address; None if it is not WeChat that asks."""
    signed = callback.is_signed(_app(runtime, app_id), query, runtime.clock.now().timestamp())
    return query.get("echostr", "") if signed else None


def take_push(runtime: Runtime, app_id: str, query: Mapping[str, str], body: bytes, request_id: str) -> str | None:
    """The answer to a push: `success` or a reply for the user; None if it is not WeChat's. A push that comes again has
    no second effect, but the same answer, because the first may have been lost."""
    app, now_s = _app(runtime, app_id), runtime.clock.now().timestamp()
    push = callback.read_push(app, query, body, now_s)
    if push is None:
        return None
    with runtime.work(Actor("wechat", app_id, request_id)) as work:
        service.take_push(
            work,
            service.PushIn(app_id, push.openid, push.event, push.msg_id, push.status, push.sent_at_s, push.key),
        )
    link = f"{runtime.settings.public_url}/h5/?app_id={app_id}"
    reply = rules.reply(push.kind, push.event, push.event_key, link)
    return callback.write_reply(app, push, reply, now_s) if reply is not None else "success"


def publish_menu(runtime: Runtime, gateways: Gateways, app_id: str) -> bool:
    """Give a public account its menu; False for a mini-program, which has none."""
    app = _app(runtime, app_id)
    if app.kind != "oa":
        return False
    gateways.wechat.create_menu(app, rules.menu(f"{runtime.settings.public_url}/h5/?app_id={app_id}"))
    return True


def _app(runtime: Runtime, app_id: str) -> AppCredentials:
    with runtime.read() as session:
        return identity.app_credentials(session, runtime.privacy, app_id)
