"""The moves that a state may make, by table: written down a second time, from the domain's state machines.

Under a table's name one line for each state, `from > to to …`; `begin` is where a new row comes from.
"""

from __future__ import annotations

from collections.abc import Mapping

Moves = dict[str, frozenset[str]]

_TEXT = """
binding
    begin > pending
    pending > live refused expired revoked
    live > revoked
consent
    begin > in_force
    in_force > withdrawn
appointment
    begin > pending
    pending > booked refused expired cancelled
    booked > cancelled attended no_show
    no_show > attended
waiting_entry
    begin > waiting
    waiting > offered left closed
    offered > taken left lapsed closed waiting
    taken > waiting
registration
    begin > queued
    queued > registering failed
    registering > registered queued failed
settlement
    begin > created
    created > trial_waiting
    trial_waiting > trialling failed
    trialling > trial_waiting trialled failed
    trialled > failed settling
    settling > settled failed reversed
    settled > synchronised reversed
settlement_ruling
    begin > proposed
    proposed > confirmed declined
payment_order
    begin > created
    created > prepaid paid closed disputed
    prepaid > paid closed disputed
refund
    begin > created
    created > unknown processing succeeded abnormal
    unknown > created processing succeeded abnormal
    processing > succeeded abnormal
    abnormal > succeeded
claim
    begin > submitted
    submitted > assembling withdrawn
    assembling > verifying ineligible withdrawn
    verifying > verified ineligible withdrawn
    verified > delivering ineligible withdrawn
    delivering > adjudicating ineligible withdrawn
    adjudicating > needs_documents approved rejected withdrawn closed
    needs_documents > adjudicating approved rejected withdrawn closed
    approved > approved rejected accepted appealed closed
    rejected > approved rejected appealed closed
    appealed > approved rejected closed
    accepted > paying paid closed
    paying > paid accepted closed
    paid > accepted closed
recovery
    begin > waiting
    waiting > open void
    open > repaid written_off void
payout
    begin > created
    created > held approved cancelled
    held > approved cancelled
    approved > sending cancelled
    sending > unknown accepted waiting_user_confirm transferring succeeded failed cancelled
    unknown > sending accepted waiting_user_confirm transferring succeeded failed cancelled
    accepted > waiting_user_confirm transferring succeeded failed cancelled
    waiting_user_confirm > transferring succeeded failed cancelled
    transferring > succeeded failed cancelled
    succeeded > returned
batch
    begin > received
    received > checked
    checked > applied refused
    applied > applied refused
    refused > applied refused
command
    begin > open
    open > fetched overdue withdrawn
    fetched > fetched answered overdue withdrawn
    overdue > answered
data_request
    begin > open
    open > fetched answered overdue withdrawn
    fetched > answered overdue withdrawn
notice
    begin > pending
    pending > delivered retrying dead
    retrying > delivered retrying dead
    delivered > dead
    dead > pending
reconciliation_run
    begin > collecting
    collecting > comparing blocked
    comparing > blocked balanced differences
reconciliation_party_ledger
    begin > waiting arrived
    waiting > arrived blocked
reconciliation_difference
    begin > open suspended
    suspended > open assigned cleared
    open > assigned cleared
    assigned > assigned proposed resolved cleared
    proposed > resolved assigned cleared
    resolved > open
    cleared > open
"""


def _machines(text: str) -> Mapping[str, Moves]:
    found: dict[str, Moves] = {}
    moves: Moves = {}
    for line in text.strip().splitlines():
        before, arrow, after = line.partition(">")
        if arrow:
            moves[before.strip()] = frozenset(after.split())
        else:
            moves = found[line.strip()] = {}
    return found


MACHINES = _machines(_TEXT)


def may_move(table: str, before: str | None, after: str) -> bool:
    """Whether a row may go from one state to another; `before` None is its beginning. KeyError for unknown tables."""
    return after in MACHINES[table].get(before or "begin", frozenset())
