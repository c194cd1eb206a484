"""What follows what: event -> the kinds of task that are written in the same transaction."""

from __future__ import annotations

ROUTES: dict[str, tuple[str, ...]] = {
    # Answers of agents to commands.
    "exchange.answered.cancel_appointment": (),
    "exchange.answered.clearing": (),
    "exchange.answered.collect_ledger": (),
    "exchange.answered.confirm_appointment": (),
    "exchange.answered.list_ties": (),
    "exchange.answered.pull_patient": (),
    "exchange.answered.query_settlement": (),
    "exchange.answered.register": (),
    "exchange.answered.reverse": (),
    "exchange.answered.settle": (),
    "exchange.answered.settlement_notice": (),
    "exchange.answered.settlement_reversed": (),
    "exchange.answered.sync_self_pay": (),
    "exchange.answered.tie_account": (),
    "exchange.answered.trial": (),
    "exchange.answered.untie_account": (),
    "exchange.answered.verify_identity": ("identity.hospital_answered",),
    # What partners push, tell and ask. A type that is missing here is refused.
    "exchange.batch.catalogue": (),
    "exchange.batch.ledger": (),
    "exchange.batch.record": (),
    "exchange.message.bank.returned": (),
    "exchange.message.bank.transfer_finished": (),
    "exchange.message.claim.adjudicated": (),
    "exchange.message.claim.case_opened": (),
    "exchange.message.claim.documents_requested": (),
    "exchange.request.record.visit": (),
    # Who is bound to whom.
    "identity.binding_refused": (),
    "identity.bound": (),
    "identity.consent_withdrawn": (),
    "identity.phone_code_wanted": (),
    "identity.unbound": (),
}
