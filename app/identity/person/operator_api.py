"""Who acts for whom, for operators: the nightly comparison of both copies, and patients whose records are awaited.

People of a hospital see their own, the platform's people see all.
"""

from __future__ import annotations

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from app.exchange import service as exchange
from app.identity.person import contracts as c
from app.identity.person import pulls, reconciling
from app.web.routes import door, question
from app.web.site import OPERATOR, Caller

bp = APIBlueprint("person_operator", __name__, url_prefix="/api/v1/operator", tag="就诊人监控")
WATCH = door(OPERATOR, roles=("administrator", "auditor"))


@question(bp, "/ties", WATCH, out=c.TieComparisonList)
def list_tie_comparisons(session: Session, caller: Caller) -> c.TieComparisonList:
    """每家医院前置机上的绑定名单与平台的最近一次核对，以及等待其数据的就诊人数"""
    compared, awaited = reconciling.comparisons(session), pulls.awaited_counts(session)
    items = []
    for hospital in exchange.parties(session, "hospital"):
        if caller.party_id not in (None, hospital.id):
            continue
        view = c.TieComparisonView(hospital=hospital.code, name=hospital.name)
        if hospital.id in compared:
            found = c.TieCounts.model_validate(compared[hospital.id], from_attributes=True)
            view = view.model_copy(update=found.model_dump())
        if hospital.id in awaited:
            view.patients_waiting, view.waiting_since = awaited[hospital.id]
        items.append(view)
    return c.TieComparisonList(items=items)
