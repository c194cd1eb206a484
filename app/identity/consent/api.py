from __future__ import annotations

from uuid import UUID

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from app.core.work import Work
from app.exchange import service as exchange
from app.identity.consent import contracts as c
from app.identity.consent import service
from app.identity.consent.service import ConsentView, WantedConsent
from app.web.routes import command, door, question
from app.web.site import ACCOUNT, Caller

bp = APIBlueprint("consent", __name__, url_prefix="/api/v1", tag="授权")
MINE = door(ACCOUNT)


@command(bp, "/consents", MINE, out=c.ConsentOut, body=c.ConsentInput, status=201)
def create_consent(work: Work, caller: Caller, body: c.ConsentInput) -> c.ConsentOut:
    """同意向接收方提供资料"""
    recipient_id = exchange.party_by_code(work.session, body.recipient).id
    wanted = WantedConsent(body.person_id, recipient_id, body.purpose, body.scope)
    return _out(work.session, service.consent(work.session, service.give_consent(work, caller.id, wanted)))


@question(bp, "/consents", MINE, out=c.ConsentsOut)
def list_consents(session: Session, caller: Caller) -> c.ConsentsOut:
    """我的授权和每次提供资料的回执"""
    return c.ConsentsOut(consents=[_out(session, one) for one in service.consents_of(session, caller.id)])


@command(bp, "/consents/<uuid:consent_id>/withdraw", MINE, out=c.ConsentOut)
def withdraw_consent(work: Work, caller: Caller, consent_id: UUID) -> c.ConsentOut:
    """撤回授权；撤回后不再提供资料"""
    service.withdraw_consent(work, caller.id, consent_id)
    return _out(work.session, service.consent(work.session, consent_id))


def _out(session: Session, found: ConsentView) -> c.ConsentOut:
    recipient = exchange.party(session, found.recipient_id)
    return c.ConsentOut(
        id=found.id,
        person_id=found.person_id,
        recipient=recipient.code,
        recipient_name=recipient.name,
        purpose=found.purpose,
        scope=found.scope,
        wording=found.wording,
        status=found.status,
        given_at=found.given_at,
        withdrawn_at=found.withdrawn_at,
        receipts=[c.ReceiptOut.model_validate(one) for one in found.receipts],
    )
