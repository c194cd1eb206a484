"""Where the patient stands in the registration line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from app.identity import service as identity
from app.registration import contracts as c
from app.registration import queries, rules
from app.web.routes import door, question
from app.web.site import ACCOUNT, Caller

if TYPE_CHECKING:
    from app.registration.models import Registration

bp = APIBlueprint("registration", __name__, url_prefix="/api/v1", tag="建档")


@question(bp, "/registrations", door(ACCOUNT), out=c.RegistrationPage, query=c.OfPerson)
def list_registrations(session: Session, caller: Caller, query: c.OfPerson) -> c.RegistrationPage:
    """就诊人的建档进度：排队位置与预计时间"""
    identity.require_person(session, caller.id, query.person_id)
    return c.RegistrationPage(items=[_view(session, row) for row in queries.of_person(session, query.person_id)])


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
