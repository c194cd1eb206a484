"""The patient's side of the interface's line: entering it, seeing the place, leaving it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from app.core import quota
from app.core.errors import Conflict, NotFound, Throttled
from app.core.ids import partner_number
from app.core.sequence import next_no
from app.core.steady import database_now
from app.core.work import Work
from app.identity import service as identity
from app.record import queries as record
from app.record.queries import BillFacts
from app.registration import service as registration
from app.settlement import admission, messages, queries, rules, trials
from app.settlement.contracts import AskTrial
from app.settlement.interfaces import budget_of, interface_of, shared_budget
from app.settlement.models import Settlement
from app.settlement.parts import get
from app.settlement.states import State, settlements
from app.settlement.trials import ADMIT, line_of, require_unsettled


def ask_trial(work: Work, account_id: UUID, wanted: AskTrial) -> Settlement:
    """Enter the interface's line with a bill that is not settled yet. Asking again gives the same place.

    Conflict `not_registered` before 建档完成, `bill_settled`, `bill_refused`, `no_interface`, `in_line` with another
    bill, and the refusals of a medical-insurance card; Throttled when `wait` is false and nobody can be admitted now:
    then nothing is kept.
    """
    bill_id = wanted.bill_id
    bill, person_id = _bill_and_person(work, account_id, bill_id)
    registration.require_registered(work, bill.hospital_id, person_id)
    require_unsettled(bill)
    interface_id = interface_of(work.session, bill.hospital_id)
    identity.require_medical_card(work, person_id, wanted.medical_card_no)
    if not wanted.wait:
        _require_free_slot(work, interface_id, bill)
    line_no = next_no(work.session, line_of(interface_id))
    live = queries.live_of_bill(work.session, bill_id)
    if live is not None and not _is_stale(work, live, bill):
        return live
    if queries.other_place(work.session, interface_id, person_id) is not None:
        raise Conflict("in_line", "该就诊人已有一张结算单在排队试算，试算完成后再申请下一张")
    row = Settlement(
        no=partner_number("st"),
        interface_id=interface_id,
        line_no=line_no,
        hospital_id=bill.hospital_id,
        bill_id=bill_id,
        account_id=account_id,
        person_id=person_id,
        trial_no=partner_number("tr"),
        total_fen=bill.total_fen,
        bill_content=record.contents(work.session, [bill_id])[bill_id],
    )
    settlements.start(work, row, State.CREATED)
    settlements.move(work, [row.id], "queue")
    quota.open_budget(work.session, shared_budget(work.session, interface_id))
    if wanted.wait:
        row.promised_at = queries.turn(work.session, row, budget_of(work.session, interface_id))
        work.later(ADMIT, interface_id)
    else:
        _require_turn(work, row)
    return row


def leave(work: Work, account_id: UUID, settlement_id: UUID) -> Settlement:
    """The patient waits no longer: whoever stands behind moves up. LostRace once the trial is under way."""
    row = get(work, settlement_id)
    identity.require_bound(work.session, account_id, row.person_id)
    settlements.move(work, [row.id], "leave", values={"refused_code": rules.LEFT})
    return row


def tie_ended(work: Work, person_id: UUID) -> None:
    """Somebody is bound to the person no more. Where nobody is, the person waits no longer: nobody could see the trial,
    or leave the line."""
    waiting = (Settlement.person_id == person_id, Settlement.status == State.TRIAL_WAITING)
    left = select(Settlement.id).where(*waiting, ~identity.is_acted_for(Settlement.person_id))
    if ids := work.session.scalars(left).all():
        settlements.move(work, ids, "leave", values={"refused_code": rules.LEFT}, lenient=True)


def _bill_and_person(work: Work, account_id: UUID, bill_id: UUID) -> tuple[BillFacts, UUID]:
    bill = record.bill(work.session, bill_id)
    if bill is None:
        raise NotFound
    person_id = identity.person_of_patient(work.session, bill.hospital_id, bill.patient_no)
    if person_id is None:
        raise NotFound
    identity.require_bound(work.session, account_id, person_id)
    return bill, person_id


def _is_stale(work: Work, live: Settlement, bill: BillFacts) -> bool:
    """A trial that is too old, or of a bill that has changed since, makes room for a new one."""
    too_old = rules.is_too_old(live.valid_until, work.now)
    if live.status != State.TRIALLED or not (too_old or messages.is_changed(work, live, bill)):
        return False
    trials.expire(work, live.id)
    return True


def _require_turn(work: Work, row: Settlement) -> None:
    """The source's behaviour: whoever is not admitted at once has to come again, and with this transaction everything
    goes that was written for him."""
    admission.admit(work, row.interface_id)
    if row.status == State.TRIAL_WAITING:
        budget = budget_of(work.session, row.interface_id)
        raise _limited(work, queries.turn(work.session, row, budget))


def _require_free_slot(work: Work, interface_id: UUID, bill: BillFacts) -> None:
    """In a burst most are refused by this look alone: nothing is written for them, and nobody waits for a lock."""
    if queries.live_of_bill(work.session, bill.id) is None:
        budget = budget_of(work.session, interface_id)
        if quota.free_now(work.session, budget) == 0:
            raise _limited(work, queries.next_turn(work.session, interface_id, bill.hospital_id, budget))


def _limited(work: Work, turn_at: datetime | None) -> Throttled:
    wait_s = (turn_at - database_now(work.session)).total_seconds() if turn_at else 0.0
    return Throttled("trial_limited", "当前试算人数较多，请稍后再试", retry_after_s=max(1, round(wait_s)))
