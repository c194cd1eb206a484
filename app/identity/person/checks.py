"""The hospital's check of a claim: asked by command, answered by message, once or late or twice."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from app.core.work import Work
from app.exchange import service as exchange
from app.exchange.service import CommandAnswer
from app.identity.person import endings, patients, people, rules
from app.identity.person.models import Binding
from app.identity.person.people import PersonFacts
from app.identity.person.states import BindingState, bindings

LANE = "identity"


def ask_hospital(work: Work, binding_id: UUID) -> None:
    """Ask, or ask again under the same number; nothing if the binding waits no longer."""
    row = work.session.get(Binding, binding_id, with_for_update=True)
    if row is None or row.status != BindingState.PENDING or row.expires_at <= work.now:
        return
    claim = PersonFacts.from_text(work.reveal(row, "claim_sealed", "the hospital checks an identity"))
    body = {
        "check_no": f"bd{row.id.hex}",
        "name": claim.name,
        "document_type": claim.document_type,
        "document_no": claim.document_no,
        "phone": claim.phone,
        "birth_date": claim.birth_date.isoformat(),
        "sex": claim.sex,
    }
    row.times_asked += 1
    row.command_id = exchange.command(
        work, row.hospital_id, "verify_identity", body, lane=LANE, subject=row.id, deadline=row.expires_at
    )


def hospital_answered(work: Work, answer: CommandAnswer) -> None:
    """What the hospital says of a claim. A late or second answer changes nothing."""
    assert answer.subject is not None
    row = work.session.get(Binding, answer.subject, with_for_update=True)
    if row is None or row.status != BindingState.PENDING:
        return
    if answer.outcome == "done" and rules.is_patient_number(answer.body.get("patient_no")):
        _confirm(work, row, answer.body.get("patient_no"))
    elif answer.outcome == "refused":
        _refuse(work, row, answer.code or "refused")
    elif answer.command_id == row.command_id:
        again_at = work.now + rules.asks_again_after(row.times_asked)
        work.later("identity.ask_hospital", row.id, run_at=again_at)


def _confirm(work: Work, row: Binding, patient_no: str | None) -> None:
    claim = PersonFacts.from_text(work.reveal(row, "claim_sealed", "a hospital has confirmed an identity"))
    if patient_no is not None and _is_anothers(work, row, patient_no, claim):
        _refuse(work, row, "patient_number_taken")
        return
    settled = people.settle(work, claim, confirmed=patient_no is not None)
    person = settled.person
    if person is None:
        _refuse(work, row, "details_differ")
        return
    if settled.corrected:
        _drop_impostors(work, person.id)
    bindings.move(work, [row.id], "confirm", values={"person_id": person.id, "claim_sealed": None})
    known = patient_no or patients.patient_number(work.session, row.hospital_id, person.id)
    if known and not patients.set_patient_number(work, row.hospital_id, known, person.id):
        patients.tie(work, row.hospital_id, person.id, known, row.account_id)
    work.emit("identity.bound", row.id)


def _is_anothers(work: Work, row: Binding, patient_no: str, claim: PersonFacts) -> bool:
    owner = patients.person_of_patient(work.session, row.hospital_id, patient_no)
    return owner is not None and owner != people.find(work, claim)


def _refuse(work: Work, row: Binding, code: str) -> None:
    bindings.move(work, [row.id], "refuse", values=endings.forgotten() | {"refused_code": code[:64]})
    work.emit("identity.binding_refused", row.id)


def _drop_impostors(work: Work, person_id: UUID) -> None:
    """Bindings that rest on details which a hospital has just proved wrong."""
    live = select(Binding).where(Binding.person_id == person_id, Binding.status == BindingState.LIVE)
    for row in work.session.scalars(live.order_by(Binding.id).with_for_update()).all():
        endings.end(work, row, "hospital_disproved")
