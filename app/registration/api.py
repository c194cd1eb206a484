"""Where the patient stands in the registration line, and what an operator does with entries that stepped aside."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from app.core.paging import PageQuery
from app.core.work import Work
from app.identity import service as identity
from app.registration import contracts as c
from app.registration import queries, rules, service
from app.web.routes import command, door, question, refuses
from app.web.site import ACCOUNT, OPERATOR, Caller

if TYPE_CHECKING:
    from app.registration.models import Registration

bp = APIBlueprint("registration", __name__, url_prefix="/api/v1", tag="建档")
operator_bp = APIBlueprint("registration_operator", __name__, url_prefix="/api/v1/operator", tag="建档队列")
KEEPER = door(OPERATOR, roles=("claims",))


@question(bp, "/registrations", door(ACCOUNT), out=c.RegistrationPage, query=c.OfPerson)
def list_registrations(session: Session, caller: Caller, query: c.OfPerson) -> c.RegistrationPage:
    """就诊人的建档进度：排队位置与预计时间"""
    identity.require_person(session, caller.id, query.person_id)
    return c.RegistrationPage(items=[_view(session, row) for row in queries.of_person(session, query.person_id)])


@question(operator_bp, "/registrations/aside", KEEPER, out=c.AsidePage, query=PageQuery)
def list_aside(session: Session, caller: Caller, query: PageQuery) -> c.AsidePage:
    """多次失败、已被搁置的建档申请"""
    rows, cursor = queries.aside(session, caller.party_id, query)
    return c.AsidePage(items=[_aside(row) for row in rows], next_cursor=cursor)


@command(operator_bp, "/registrations/<uuid:registration_id>/put-back", KEEPER, out=c.AsideView)
@refuses({409: ("not_aside",)})
def put_back(work: Work, caller: Caller, registration_id: UUID) -> c.AsideView:
    """问题处理后放回原来的位置，立即再次建档"""
    return _aside(service.put_back(work, registration_id, caller.party_id))


def _aside(row: Registration) -> c.AsideView:
    return c.AsideView(**{name: getattr(row, name) for name in c.AsideView.model_fields})


def _view(session: Session, row: Registration) -> c.RegistrationView:
    place = queries.place(session, row)
    refused = rules.REFUSALS.get(row.refused_code, rules.REFUSED) if row.refused_code else None
    return c.RegistrationView(
        id=row.id,
        hospital_id=row.hospital_id,
        person_id=row.person_id,
        status=row.status,
        status_since=row.status_since,
        place=place.place if place else None,
        expected_s=place.expected_s if place else None,
        stepped_aside=row.tries >= rules.TRIES_IN_PLACE and place is not None,
        refused=refused,
    )
