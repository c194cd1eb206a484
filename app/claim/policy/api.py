from __future__ import annotations

from typing import TYPE_CHECKING

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from app.claim.contracts.people import OfPerson
from app.claim.policy import contracts as c
from app.claim.policy import queries, service
from app.core.work import Work
from app.exchange import service as exchange
from app.identity import service as identity
from app.web.routes import command, door, question, refuses
from app.web.site import ACCOUNT, Caller

if TYPE_CHECKING:
    from app.claim.models.claims import Policy
    from app.claim.policy.models import PolicyQuestion

bp = APIBlueprint("policy", __name__, url_prefix="/api/v1", tag="保单")
MINE = door(ACCOUNT)


@command(bp, "/policies", MINE, body=c.AskPolicies, out=c.PoliciesView, status=202)
@refuses({404: ("person_unknown",), 409: ("insurer_not_connected",), 422: ("consent_needed",)})
def ask_for_policies(work: Work, caller: Caller, body: c.AskPolicies) -> c.PoliciesView:
    """向保险公司查询就诊人的保单"""
    asked = service.ask(work, caller.id, body.person_id, body.insurer, body.consent)
    work.session.flush()
    return _view(work.session, asked)


@question(bp, "/policies", MINE, out=c.PoliciesPage, query=OfPerson)
def list_policies(session: Session, caller: Caller, query: OfPerson) -> c.PoliciesPage:
    """就诊人的保单，按查询过的保险公司，以及答复时间"""
    identity.require_person(session, caller.id, query.person_id)
    return c.PoliciesPage(items=[_view(session, asked) for asked in queries.questions(session, query.person_id)])


def _view(session: Session, asked: PolicyQuestion) -> c.PoliciesView:
    insurer = exchange.party(session, asked.insurer_id)
    is_answered = asked.answered_at is not None and asked.answered_at >= asked.asked_at
    return c.PoliciesView(
        insurer=insurer.code,
        insurer_name=insurer.name,
        status="answered" if is_answered else "asking",
        asked_at=asked.asked_at,
        answered_at=asked.answered_at,
        items=[_policy(policy) for policy in queries.policies(session, asked)],
    )


def _policy(policy: Policy) -> c.PolicyView:
    return c.PolicyView(
        policy_no=policy.policy_no,
        product_name=policy.product_name,
        valid_from=policy.valid_from,
        valid_to=policy.valid_to,
        deductible_left_fen=policy.deductible_left_fen,
        ratio=None if policy.ratio is None else str(policy.ratio),
        ceiling_left_fen=policy.ceiling_left_fen,
        as_of=policy.asked_at,
    )
