from __future__ import annotations

from uuid import UUID

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from app.core.work import Work
from app.exchange import service as exchange
from app.identity.consent import contracts as c
from app.identity.consent import queries, rules, service
from app.identity.consent.queries import ConsentView, ReceiptView
from app.identity.consent.service import WantedConsent
from app.web.routes import command, door, question, refuses
from app.web.site import ACCOUNT, Caller

bp = APIBlueprint("consent", __name__, url_prefix="/api/v1", tag="授权")
MINE = door(ACCOUNT)
REFUSES_CONSENT = {
    404: ("person_unknown",),
    409: ("recipient_contact_missing", "wording_outdated"),
    422: ("separate_consents",),
}


@question(bp, "/consent-texts", MINE, out=c.TextsOut, query=c.TextQuery)
def read_texts(session: Session, caller: Caller, query: c.TextQuery) -> c.TextsOut:
    """授权前须展示的内容：健康信息与其他信息各一份，须分别同意"""
    party = exchange.party_by_code(session, query.recipient)
    to = service.recipient(session, party.id)
    texts = []
    for data_class in (rules.GENERAL, rules.HEALTH):
        scope = rules.usual_scope(query.purpose, data_class)
        said = rules.statement(rules.CURRENT_WORDING, data_class, to, query.purpose, scope)
        texts.append(c.TextOut(data_class=data_class, scope=scope, wording=rules.CURRENT_WORDING, statement=said))
    return c.TextsOut(recipient=party.code, recipient_name=to.name, recipient_contact=to.contact, texts=texts)


@command(bp, "/consents", MINE, out=c.ConsentOut, body=c.ConsentInput, status=201)
@refuses(REFUSES_CONSENT)
def create_consent(work: Work, caller: Caller, body: c.ConsentInput) -> c.ConsentOut:
    """同意向接收方提供资料"""
    recipient_id = exchange.party_by_code(work.session, body.recipient).id
    wanted = WantedConsent(body.person_id, recipient_id, body.purpose, body.scope, body.wording)
    return _out(work.session, queries.consent(work.session, service.give_consent(work, caller.id, wanted)))


@question(bp, "/consents", MINE, out=c.ConsentsOut)
def list_consents(session: Session, caller: Caller) -> c.ConsentsOut:
    """我的授权和每次提供资料的回执"""
    return c.ConsentsOut(consents=[_out(session, one) for one in queries.consents_of(session, caller.id)])


@command(bp, "/consents/<uuid:consent_id>/withdraw", MINE, out=c.ConsentOut)
def withdraw_consent(work: Work, caller: Caller, consent_id: UUID) -> c.ConsentOut:
    """撤回授权；撤回后不再提供资料"""
    service.withdraw_consent(work, caller.id, consent_id)
    return _out(work.session, queries.consent(work.session, consent_id))


def _out(session: Session, found: ConsentView) -> c.ConsentOut:
    names = ("id", "person_id", "purpose", "data_class", "scope", "wording", "status", "given_at", "withdrawn_at")
    return c.ConsentOut(
        **{name: getattr(found, name) for name in names},
        recipient=exchange.party(session, found.recipient_id).code,
        recipient_name=found.recipient.name,
        recipient_contact=found.recipient.contact,
        statement=rules.statement(found.wording, found.data_class, found.recipient, found.purpose, found.scope),
        receipts=[_receipt(found, one) for one in found.receipts],
    )


def _receipt(found: ConsentView, one: ReceiptView) -> c.ReceiptOut:
    shared = rules.Shared(found.recipient.name, one.occasion, one.about_no, one.what, one.shared_at)
    return c.ReceiptOut(**vars(one), in_words=rules.receipt(shared))
