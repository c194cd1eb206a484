"""Every kind of task and who does it. tests/test_house.py holds this table against the code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.appointment import calls as appointment
from app.audit import service as audit
from app.claim import answers, asking, clocks, data_requests, decisions, waiting, withdrawal
from app.claim import calls as claim
from app.claim import documents as claim_documents
from app.claim import export as claim_export
from app.claim.contracts import partners as claim_partners
from app.core.tasks import MAX_TRIES, Job
from app.core.work import Runtime
from app.exchange import calls as exchange_calls
from app.exchange import service as exchange
from app.gateways import Gateways
from app.identity import sweep as identity_sweep
from app.identity.person import calls as person_calls
from app.notification import calls as notification
from app.payment import calls as payment
from app.payout import calls as payout
from app.payout import recovering
from app.reconciliation import calls as reconciliation
from app.reconciliation import service as nights
from app.reconciliation.funds import calls as funds
from app.record import calls as record
from app.registration import calls as registration
from app.settlement import calls as settlement
from app.settlement import insurance, querying, reversing, synchronising, trials
from app.settlement import service as self_pay

# About a day with the usual pauses: a partner's night without its programs is no reason to call a person.
PUSH_TRIES = 250


@dataclass(frozen=True)
class Desk:
    """How one kind is done: `one(runtime, gateways, job)` for each task or `all(runtime, gateways, jobs)` for a batch.

    The handler finishes its tasks in the transaction of their effects (`runtime.work(finish=[job])`); what it leaves
    unfinished without an error is finished by the drain. `threads` > 1 where a partner is waited for. `shared`: each
    task is an RQ job of its own, so that workers share what one event has caused. After `max_tries` failures the task
    is dead and waits on the replay desk.
    """

    one: Callable[[Runtime, Gateways, Job], None] | None = None
    all: Callable[[Runtime, Gateways, list[Job]], None] | None = None
    batch: int = 50
    threads: int = 1
    shared: bool = False
    max_tries: int = MAX_TRIES


def _seal_audit(runtime: Runtime, _: Gateways, jobs: list[Job]) -> None:
    with runtime.work(finish=jobs) as work:
        audit.seal(work)


def _expire(runtime: Runtime, _: Gateways, jobs: list[Job]) -> None:
    with runtime.work(finish=jobs) as work:
        exchange.expire(work)
        exchange.expire_requests(work)


def _mark_late_claims(runtime: Runtime, _: Gateways, jobs: list[Job]) -> None:
    with runtime.work(finish=jobs) as work:
        clocks.mark_late(work)


def _sweep_identity(runtime: Runtime, _: Gateways, jobs: list[Job]) -> None:
    with runtime.work(finish=jobs) as work:
        identity_sweep.sweep(work)


KINDS: dict[str, Desk] = {
    "audit.seal": Desk(all=_seal_audit),
    "exchange.overdue": Desk(all=_expire),
    "exchange.push": Desk(one=exchange_calls.push, threads=4, max_tries=PUSH_TRIES),
    "identity.ask_hospital": Desk(one=person_calls.ask_hospital),
    "identity.hospital_answered": Desk(one=person_calls.hospital_answered),
    "identity.list_ties": Desk(one=person_calls.list_ties),
    "identity.pull_again": Desk(one=person_calls.pull_again),
    "identity.pulled": Desk(all=person_calls.pulled, batch=200),
    "identity.sweep": Desk(all=_sweep_identity),
    "identity.tie_revoked": Desk(one=person_calls.tie_revoked),
    "identity.ties_listed": Desk(one=person_calls.ties_listed),
    "record.apply": Desk(all=record.apply_batches, batch=4),
    "notification.binding_refused": Desk(one=notification.binding_refused),
    "notification.bound": Desk(one=notification.bound),
    "notification.deliver": Desk(one=notification.deliver, threads=4),
    "notification.job_finished": Desk(one=notification.job_finished),
    "notification.phone_code": Desk(one=notification.phone_code),
    "notification.unbound": Desk(one=notification.unbound),
    "notification.sweep": Desk(all=notification.sweep),
    "payment.apply_notification": Desk(one=payment.apply_notification),
    "payment.close": Desk(one=payment.close, threads=4),
    "payment.look": Desk(one=payment.look, threads=4),
    "payment.look_at_refund": Desk(one=payment.look_at_refund, threads=4),
    "payment.prepay": Desk(one=payment.prepay, threads=4),
    "payment.refund": Desk(one=payment.refund, threads=4),
    "appointment.apply_catalogue": Desk(one=appointment.apply_catalogue, batch=4),
    "appointment.ask": Desk(one=appointment.ask_again),
    "appointment.attended": Desk(one=appointment.attended),
    "appointment.confirmed": Desk(one=appointment.confirmed),
    "appointment.fee_closed": Desk(one=appointment.fee_closed),
    "appointment.fee_not_refunded": Desk(one=appointment.fee_not_refunded),
    "appointment.fee_paid": Desk(one=appointment.fee_paid),
    "appointment.fee_refunded": Desk(one=appointment.fee_refunded),
    "appointment.fill": Desk(one=appointment.fill),
    "appointment.leave_unbound": Desk(one=appointment.leave_unbound),
    "appointment.offer_lapse": Desk(one=appointment.lapse_offer),
    "appointment.remind": Desk(one=appointment.remind),
    "appointment.sweep": Desk(all=appointment.sweep),
    "appointment.unbound": Desk(one=appointment.unbound),
    "registration.answered": Desk(all=registration.answered, batch=200),
    "registration.enter": Desk(all=registration.enter, batch=200),
    "registration.poll": Desk(all=registration.poll),
    "registration.sweep": Desk(all=registration.sweep),
    "settlement.admit": Desk(all=settlement.admit),
    "settlement.ask": Desk(one=settlement.on_time(insurance.ask_again)),
    "settlement.delayed": Desk(one=settlement.on_time(insurance.delayed)),
    "settlement.expire": Desk(one=settlement.on_time(trials.expire)),
    "settlement.insurance_answered": Desk(one=settlement.on_answer(insurance.answered)),
    "settlement.promises": Desk(all=settlement.look_at_promises),
    "settlement.query": Desk(one=settlement.on_time(querying.query)),
    "settlement.query_answered": Desk(one=settlement.on_answer(querying.answered)),
    "settlement.reverse": Desk(one=settlement.on_time(reversing.reverse_again)),
    "settlement.reverse_answered": Desk(one=settlement.on_answer(reversing.answered)),
    "settlement.reversal_told": Desk(one=settlement.on_answer(synchronising.reversal_told)),
    "settlement.self_paid": Desk(one=settlement.on_payment(self_pay.self_paid)),
    "settlement.self_pay_closed": Desk(one=settlement.on_payment(self_pay.self_pay_closed)),
    "settlement.self_pay_not_refunded": Desk(one=settlement.on_payment(self_pay.self_pay_not_refunded)),
    "settlement.self_pay_refunded": Desk(one=settlement.on_payment(self_pay.self_pay_refunded)),
    "settlement.tell": Desk(one=settlement.tell_again),
    "settlement.tell_reversed": Desk(one=settlement.on_time(synchronising.tell_reversed_again)),
    "settlement.told": Desk(one=settlement.on_answer(synchronising.told)),
    "settlement.sweep": Desk(all=settlement.sweep),
    "settlement.unbound": Desk(one=settlement.unbound),
    "settlement.trial_answered": Desk(all=settlement.trials_answered),
    "claim.adjudicated": Desk(one=claim.on_message(claim_partners.AdjudicatedIn, decisions.adjudicated)),
    "claim.ask_policies": Desk(one=asking.ask_policies, threads=4),
    "claim.assemble": Desk(one=claim.assemble),
    "claim.bills_changed": Desk(one=claim.bills_changed),
    "claim.case_opened": Desk(one=claim.on_message(claim_partners.CaseOpenedIn, decisions.case_opened)),
    "claim.answer_request": Desk(one=claim.on_subject(data_requests.answered)),
    "claim.consent_withdrawn": Desk(one=claim.on_subject(withdrawal.consent_withdrawn)),
    "claim.deliver": Desk(one=claim.deliver, threads=4),
    "claim.e_bills_reversed": Desk(one=claim.e_bills_reversed),
    "claim.documents_late": Desk(one=claim.on_subject(claim_documents.late)),
    "claim.documents_requested": Desk(
        one=claim.on_message(claim_partners.DocumentsRequestedIn, claim_documents.requested)
    ),
    "claim.export_asked": Desk(one=claim.on_message(claim_partners.ExportAskedIn, claim_export.asked)),
    "claim.forward_request": Desk(one=claim.on_subject(data_requests.forward)),
    "claim.follow": Desk(one=asking.follow, threads=4),
    "claim.issue_letter": Desk(one=claim.issue_letter),
    "claim.late": Desk(all=_mark_late_claims),
    "claim.look_again": Desk(one=claim.on_subject(waiting.look_again)),
    "claim.prepay": Desk(one=claim.on_subject(answers.prepay)),
    "claim.send_documents": Desk(one=claim.send_documents, threads=4),
    "claim.silence": Desk(one=claim.on_subject(answers.silence)),
    "claim.tell_acceptance": Desk(one=claim.tell_acceptance, threads=4),
    "claim.tell_appeal": Desk(one=claim.tell_appeal, threads=4),
    "claim.tell_payout": Desk(one=claim.tell_payout, threads=4),
    "claim.tell_recovery": Desk(one=claim.tell_recovery, threads=4),
    "claim.tell_withdrawal": Desk(one=claim.tell_withdrawal, threads=4),
    "claim.verify": Desk(one=claim.verify, threads=4),
    "claim.wake_waiting": Desk(one=claim.on_subject(waiting.decided_or_ended)),
    "payout.bank_finished": Desk(one=payout.bank_finished),
    "payout.bank_returned": Desk(one=payout.bank_returned),
    "payout.bills_lost": Desk(one=claim.on_subject(recovering.bills_lost)),
    "payout.create": Desk(one=payout.create),
    "payout.look": Desk(one=payout.look, threads=4),
    "payout.notified": Desk(one=payout.notified),
    "payout.recovery_ended": Desk(one=claim.on_message(claim_partners.RecoveryEndedIn, recovering.ended)),
    "payout.send": Desk(one=payout.send, threads=4),
    "reconciliation.answered": Desk(one=reconciliation.step(nights.answered)),
    "reconciliation.ask": Desk(one=reconciliation.step(nights.ask_again)),
    "reconciliation.compare": Desk(one=reconciliation.compare, batch=1),
    "reconciliation.compare_part": Desk(one=reconciliation.compare_part, batch=1, shared=True),
    "reconciliation.compare_funds": Desk(one=funds.compare, batch=1),
    "reconciliation.deadline": Desk(one=reconciliation.step(nights.deadline)),
    "reconciliation.fetch": Desk(one=reconciliation.fetch, threads=4),
    "reconciliation.fetch_bill": Desk(one=funds.fetch, threads=4),
    "reconciliation.finish": Desk(one=reconciliation.finish, batch=1),
    "reconciliation.funds_night": Desk(one=funds.night),
    "reconciliation.night": Desk(one=reconciliation.night),
    "reconciliation.report": Desk(one=reconciliation.report, batch=1),
    "reconciliation.take_batch": Desk(one=reconciliation.step(nights.take_batch), batch=4),
}
