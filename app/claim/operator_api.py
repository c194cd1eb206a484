"""Claims for operators: found by any number that somebody reads out on the phone, without a name or a document in them.

People of a hospital or an insurer see their own, the platform's people see all.
"""

from __future__ import annotations

from uuid import UUID

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from app.claim import views
from app.claim.contracts import people as c
from app.claim.queries import lookup
from app.core.errors import NotFound
from app.web.routes import door, question
from app.web.site import OPERATOR, Caller

bp = APIBlueprint("claim_operator", __name__, url_prefix="/api/v1/operator", tag="理赔查询")
STAFF = door(OPERATOR, roles=("claims", "finance", "payout_approver"))


@question(bp, "/claims", STAFF, out=c.ClaimPage, query=c.ClaimSearch)
def search_claims(session: Session, caller: Caller, query: c.ClaimSearch) -> c.ClaimPage:
    """按理赔号、赔案号、清算流水号或状态查找理赔，最新的在前"""
    wanted = {"no": query.no, "case_no": query.case_no, "status": query.status}
    rows, cursor = lookup.page_of_party(session, caller.party_id, query, clearing_no=query.clearing_no, **wanted)
    return c.ClaimPage(items=[views.claim(row) for row in rows], next_cursor=cursor)


@question(bp, "/claims/<uuid:claim_id>", STAFF, out=c.ClaimDetail)
def read_claim(session: Session, caller: Caller, claim_id: UUID) -> c.ClaimDetail:
    """一次理赔：核赔明细、应付与已付、追回、时间线"""
    row = lookup.claim_of_party(session, caller.party_id, claim_id)
    if row is None:
        raise NotFound
    return views.detail(session, row)


@question(bp, "/late-claims", STAFF, out=c.LatePage, query=c.LateQuery)
def list_late(session: Session, caller: Caller, query: c.LateQuery) -> c.LatePage:
    """超过时限的理赔：核定、先予支付、付款、拒赔通知，现在在谁手里、从何时起"""
    rows, cursor = lookup.page_of_late(session, caller.party_id, query.kind, query)
    claims = lookup.claims_by_id(session, [row.claim_id for row in rows])
    return c.LatePage(items=[views.late_item(row, claims[row.claim_id]) for row in rows], next_cursor=cursor)


@question(bp, "/recoveries", STAFF, out=c.RecoveryPage, query=c.RecoveryQuery)
def list_recoveries(session: Session, caller: Caller, query: c.RecoveryQuery) -> c.RecoveryPage:
    """追回清单：医院退费或红冲之后，需要退回保险公司的款项"""
    rows, cursor = lookup.page_of_recoveries(session, caller.party_id, query.status, query)
    claims = lookup.claims_by_id(session, [row.claim_id for row in rows])
    return c.RecoveryPage(items=[views.recovery_item(row, claims[row.claim_id]) for row in rows], next_cursor=cursor)
