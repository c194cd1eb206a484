"""The night for operators: start a run, read what it found, work through the differences."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from app.core.errors import Forbidden, NotFound
from app.core.work import Work
from app.exchange import service as exchange
from app.reconciliation import contracts as c
from app.reconciliation import queries, rules, service, views
from app.reconciliation.export import MEDIA_TYPES, export
from app.web.answers import Download
from app.web.routes import command, door, download, question
from app.web.site import OPERATOR, Caller, runtime

bp = APIBlueprint("reconciliation", __name__, url_prefix="/api/v1/operator/reconciliation", tag="三方对账")
FINANCE = door(OPERATOR, roles=("finance",))


@command(bp, "/runs", FINANCE, body=c.StartRun, out=c.RunItem, status=202)
def start_run(work: Work, caller: Caller, body: c.StartRun) -> c.RunItem:
    """开始一次对账；正在进行的同一天对账原样返回"""
    _platform_only(caller)
    if body.kind == rules.FUNDS:
        wanted_funds = service.WantedFunds(body.business_date, f"operator:{caller.id}", timedelta(seconds=body.wait_s))
        return views.run_item(work.session, service.start_funds(work, wanted_funds))
    wanted = service.Wanted(body.business_date, f"operator:{caller.id}", body.hospital, timedelta(seconds=body.wait_s))
    return views.run_item(work.session, service.start(work, wanted))


@question(bp, "/runs", FINANCE, out=c.RunPage, query=c.RunQuery)
def list_runs(session: Session, _: Caller, query: c.RunQuery) -> c.RunPage:
    """对账列表"""
    rows, cursor = queries.runs_page(session, query.business_date, query, query.kind)
    return c.RunPage(items=[views.run_item(session, row) for row in rows], next_cursor=cursor)


@question(bp, "/runs/<uuid:run_id>", FINANCE, out=c.RunView)
def read_run(session: Session, caller: Caller, run_id: UUID) -> c.RunView:
    """一次对账的结果：总计、七个集合、各方账目、差异的第一页"""
    run = queries.run(session, run_id)
    if run is None:
        raise NotFound
    return views.run_view(session, run, caller.party_id, _today())


@question(bp, "/differences", FINANCE, out=c.DifferencePage, query=c.DifferenceQuery)
def list_differences(session: Session, caller: Caller, query: c.DifferenceQuery) -> c.DifferencePage:
    """差异清单，可按日期、状态、类型、机构筛选"""
    rows, cursor = queries.differences_page(session, _filters(session, query), caller.party_id, query)
    return c.DifferencePage(items=views.differences(session, rows, _today()), next_cursor=cursor)


@download(bp, "/differences/export", FINANCE, query=c.ExportQuery, media_types=tuple(MEDIA_TYPES.values()))
def export_differences(session: Session, caller: Caller, query: c.ExportQuery) -> Download:
    """导出差异清单（CSV 或 XLSX），筛选条件与清单相同"""
    content = export(session, _filters(session, query), caller.party_id, _today(), query.format)
    return Download(f"differences-{_today()}.{query.format}", MEDIA_TYPES[query.format], content)


@question(bp, "/differences/<uuid:difference_id>", FINANCE, out=c.DifferenceDetail)
def read_difference(session: Session, caller: Caller, difference_id: UUID) -> c.DifferenceDetail:
    """一条差异及其处理经过"""
    row = queries.difference(session, difference_id)
    if row is None or (caller.party_id is not None and caller.party_id not in (row.hospital_id, row.insurer_id)):
        raise NotFound
    return views.detail(session, row, _today())


@command(bp, "/differences/<uuid:difference_id>/assign", FINANCE, out=c.DifferenceView)
def assign_difference(work: Work, caller: Caller, difference_id: UUID) -> c.DifferenceView:
    """由我处理这条差异"""
    _platform_only(caller)
    return views.difference(work.session, service.assign(work, caller.id, difference_id), _today())


@command(bp, "/differences/<uuid:difference_id>/resolve", FINANCE, body=c.Resolve, out=c.DifferenceView)
def resolve_difference(work: Work, caller: Caller, body: c.Resolve, difference_id: UUID) -> c.DifferenceView:
    """说明原因并办结；涉及金额的由另一位同事再次提交才办结"""
    _platform_only(caller)
    return views.difference(work.session, service.resolve(work, caller.id, [difference_id], body.reason)[0], _today())


@command(bp, "/differences/<uuid:difference_id>/decline", FINANCE, out=c.DifferenceView)
def decline_difference(work: Work, caller: Caller, difference_id: UUID) -> c.DifferenceView:
    """不同意办结，退回处理人"""
    _platform_only(caller)
    return views.difference(work.session, service.decline(work, caller.id, difference_id), _today())


@command(bp, "/differences/resolve", FINANCE, body=c.ResolveMany, out=c.DifferencePage)
def resolve_differences(work: Work, caller: Caller, body: c.ResolveMany) -> c.DifferencePage:
    """用同一个原因办结多条差异，全部成功或全部不变"""
    _platform_only(caller)
    rows = service.resolve(work, caller.id, body.ids, body.reason)
    return c.DifferencePage(items=views.differences(work.session, rows, _today()))


def _platform_only(caller: Caller) -> None:
    if caller.party_id is not None:
        raise Forbidden("platform_only", "只有平台的财务人员可以进行这项操作")


def _filters(session: Session, query: c.DifferenceFilter) -> queries.Filters:
    return {
        "business_date": query.business_date,
        "last_run_id": query.run_id,
        "status": query.status,
        "kind": query.kind,
        "clearing_no": query.clearing_no,
        "hospital_id": _party(session, query.hospital),
        "insurer_id": _party(session, query.insurer),
    }


def _today() -> date:
    return runtime().clock.today()


def _party(session: Session, code: str | None) -> UUID | None:
    return exchange.party_by_code(session, code).id if code is not None else None
