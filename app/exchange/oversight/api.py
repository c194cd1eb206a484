"""The exchange for operators: is a day complete, who is late, what has failed for good, and doing that again."""

from __future__ import annotations

from datetime import timedelta

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from app.core import dead_tasks
from app.core.errors import Forbidden, NotFound
from app.core.paging import PageQuery
from app.core.work import Work
from app.exchange import pushing, queries, service
from app.exchange.oversight import contracts as c
from app.exchange.oversight import views
from app.web.routes import command, door, question
from app.web.site import OPERATOR, Caller, runtime

bp = APIBlueprint("exchange_operator", __name__, url_prefix="/api/v1/operator/exchange", tag="数据交换监控")
WATCH = door(OPERATOR, roles=("administrator", "auditor", "claims", "finance"))
MEND = door(OPERATOR, roles=("administrator",))


@question(bp, "/completeness", WATCH, out=c.CompletenessList, query=c.OfDay)
def read_completeness(session: Session, caller: Caller, query: c.OfDay) -> c.CompletenessList:
    """每家医院某一业务日期的数据完整率与缺口；机构人员只看到本机构"""
    if caller.party_id is not None:
        parties = [service.party(session, caller.party_id)]
    elif query.party is not None:
        parties = [service.party_by_code(session, query.party)]
    else:
        parties = list(service.parties(session, "hospital"))
    return c.CompletenessList(items=views.completeness(session, parties, query.business_date))


@question(bp, "/commands/late", WATCH, out=c.LateCommandPage, query=c.LateQuery)
def list_late_commands(session: Session, caller: Caller, query: c.LateQuery) -> c.LateCommandPage:
    """等待过久或逾期未答复的指令，最新的在前"""
    before = runtime().clock.now() - timedelta(seconds=query.longer_than_s)
    rows, cursor = queries.late_commands(session, before, query, caller.party_id)
    return c.LateCommandPage(items=views.late_commands(session, rows), next_cursor=cursor)


@question(bp, "/requests", WATCH, out=c.RequestPage, query=PageQuery)
def list_requests(session: Session, caller: Caller, query: PageQuery) -> c.RequestPage:
    """尚未答复或已经逾期的数据请求，最新的在前"""
    rows, cursor = queries.unanswered_requests(session, query, caller.party_id)
    return c.RequestPage(items=views.requests(session, rows), next_cursor=cursor)


@question(bp, "/dead-tasks", WATCH, out=c.DeadTaskPage, query=c.DeadTaskQuery)
def list_dead_tasks(session: Session, caller: Caller, query: c.DeadTaskQuery) -> c.DeadTaskPage:
    """多次失败、等待人工处理的任务，最新的在前"""
    _platform_only(caller)
    rows = dead_tasks.dead(session, query.limit + 1, before=query.before, kind=query.kind)
    shown = rows[: query.limit]
    more = shown[-1].id if len(rows) > query.limit else None
    return c.DeadTaskPage(items=[views.dead_task(row) for row in shown], next_before=more)


@command(bp, "/dead-tasks/<int:task_id>/replay", MEND, out=c.Replayed)
def replay_dead_task(work: Work, caller: Caller, task_id: int) -> c.Replayed:
    """问题处理后重新执行一个失败的任务"""
    _platform_only(caller)
    if not dead_tasks.replay(work, task_id):
        raise NotFound
    return c.Replayed(id=task_id)


@question(bp, "/pushes", WATCH, out=c.PushList)
def list_pushes(session: Session, caller: Caller) -> c.PushList:
    """变更推送的进度"""
    return c.PushList(items=views.pushes(session, caller.party_id))


@command(bp, "/pushes/<party>/again", MEND, body=c.PushAgain, out=c.PushList)
def push_again(work: Work, caller: Caller, body: c.PushAgain, party: str) -> c.PushList:
    """从指定位置之后重新推送变更"""
    _platform_only(caller)
    party_id = service.party_by_code(work.session, party).id
    pushing.push_again(work, party_id, body.cursor)
    return c.PushList(items=views.pushes(work.session, party_id))


def _platform_only(caller: Caller) -> None:
    if caller.party_id is not None:
        raise Forbidden("platform_only", "只有平台的人员可以进行这项操作")
