"""The patient's notices, and the server that WeChat pushes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apiflask import APIBlueprint
from flask import Response, request

from app.core.paging import PageQuery
from app.core.work import Work
from app.notification import calls, queries, rules, service
from app.notification import contracts as c
from app.web.routes import callback, door, question
from app.web.site import ACCOUNT, Caller, request_id, runtime

if TYPE_CHECKING:
    from app.notification.models import Notice

bp = APIBlueprint("notification", __name__, url_prefix="/api/v1", tag="消息")
wechat_bp = APIBlueprint("wechat_callback", __name__, url_prefix="/wechat/callback", enable_openapi=False)


@question(bp, "/notices", door(ACCOUNT), out=c.NoticePage, query=PageQuery, audited=True)
def list_notices(work: Work, caller: Caller, query: PageQuery) -> c.NoticePage:
    """发给我的消息，最新的在前"""
    rows, cursor = queries.page_of_account(work.session, caller.id, query)
    return c.NoticePage(items=[_view(work, row) for row in rows], next_cursor=cursor)


def _view(work: Work, row: Notice) -> c.NoticeView:
    content = service.said(work, row, "the patient reads it")
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
    query = request.args.to_dict()
    if request.method == "GET":
        said, kind = calls.echo(runtime(), app_id, query), "text/plain"
    else:
        said = calls.take_push(runtime(), app_id, query, request.get_data(), request_id())
        kind = "text/plain" if said == "success" else "application/xml"
    return Response(status=401) if said is None else Response(said, mimetype=kind)
