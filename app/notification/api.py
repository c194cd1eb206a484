"""The patient's notices, and the server that WeChat pushes to."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response, request

from app.core.paging import PageQuery
from app.core.work import Actor, Work
from app.gateways.wechat.callback import Push, is_signed, read_push
from app.identity import service as identity
from app.notification import contracts as c
from app.notification import queries, rules, service
from app.notification.models import Notice
from app.web.routes import callback, door, question
from app.web.site import ACCOUNT, Caller, request_id, runtime

bp = APIBlueprint("notification", __name__, url_prefix="/api/v1", tag="消息")
wechat_bp = APIBlueprint("wechat_callback", __name__, url_prefix="/wechat/callback", enable_openapi=False)


@question(bp, "/notices", door(ACCOUNT), out=c.NoticePage, query=PageQuery, audited=True)
def list_notices(work: Work, caller: Caller, query: PageQuery) -> c.NoticePage:
    """发给我的消息，最新的在前"""
    rows, cursor = queries.page_of_account(work.session, caller.id, query)
    return c.NoticePage(items=[_view(work, row) for row in rows], next_cursor=cursor)


def _view(work: Work, row: Notice) -> c.NoticeView:
    content = work.privacy.open_json(row.content_sealed, f"notice:content_sealed:{row.id}")
    title, text = rules.in_words(row.template, content["params"])
    return c.NoticeView(
        id=row.id,
        template=row.template,
        title=title,
        text=text,
        status=row.status,
        subject=row.subject,
        at=row.status_since,
    )


@callback(wechat_bp, "/<app_id>", methods=("GET", "POST"))
def pushed(app_id: str) -> Response:
    """WeChat verifies the address (GET) or pushes a message or an event (POST), again if not answered in 5 s."""
    with runtime().read() as session:
        app = identity.app_credentials(session, runtime().privacy, app_id)
    query = request.args.to_dict()
    if request.method == "GET":
        signed = is_signed(app, query.get("signature", ""), query.get("timestamp", ""), query.get("nonce", ""))
        return Response(query.get("echostr", ""), mimetype="text/plain") if signed else Response(status=401)
    push = read_push(app, query, request.get_data())
    if push is None:
        return Response(status=401)
    with runtime().work(Actor("wechat", app_id, request_id())) as work:
        _act(work, app_id, push)
    return Response("success", mimetype="text/plain")


def _act(work: Work, app_id: str, push: Push) -> None:
    """Repeated pushes change nothing: following is a state, and a finished job is finished once."""
    if push.event in ("subscribe", "unsubscribe"):
        identity.follow(work, app_id, push.openid, push.event == "subscribe")
    elif push.event == "TEMPLATESENDJOBFINISH":
        service.job_finished(work, push.msg_id, push.status)
