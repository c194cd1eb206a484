"""The exchange as other features see it."""

from __future__ import annotations

from app.exchange.batches import OpenBatch, Verdict, batch_verdicts, open_batch, settle_batch
from app.exchange.commands import (
    Asked,
    CommandAnswer,
    Terms,
    answer,
    answers,
    asked_bodies,
    command,
    command_all,
    expire,
    shift_deadlines,
    withdraw,
)
from app.exchange.messages import OpenMessage, open_message, refuse_message
from app.exchange.parties import (
    DIALECTS,
    Endpoint,
    NewParty,
    add_outbound_secret,
    can_be_called,
    endpoint,
    interfaces,
    package_key,
    parties,
    party,
    party_by_code,
    put_party,
    register_package_key,
    require_called,
    retire_outbound_secret,
)
from app.exchange.programs import add_key, live_keys, partner_by_code, put_partner, retire_oldest_key
from app.exchange.publishing import publish
from app.exchange.requests import OpenRequest, answer_request, expire_requests, open_request
from app.exchange.rules import ROW_TYPES, canonical, mismatches, sum_fen
from app.exchange.seen import Seen, seen
from app.exchange.signatures import TOLERANCE_S, is_public, is_signed_with, new_secret

__all__ = [
    "DIALECTS",
    "ROW_TYPES",
    "TOLERANCE_S",
    "Asked",
    "CommandAnswer",
    "Endpoint",
    "NewParty",
    "OpenBatch",
    "OpenMessage",
    "OpenRequest",
    "Seen",
    "Terms",
    "Verdict",
    "add_key",
    "add_outbound_secret",
    "answer",
    "answer_request",
    "answers",
    "asked_bodies",
    "batch_verdicts",
    "can_be_called",
    "canonical",
    "command",
    "command_all",
    "endpoint",
    "expire",
    "expire_requests",
    "interfaces",
    "is_public",
    "is_signed_with",
    "live_keys",
    "mismatches",
    "new_secret",
    "open_batch",
    "open_message",
    "open_request",
    "package_key",
    "parties",
    "partner_by_code",
    "party",
    "party_by_code",
    "publish",
    "put_partner",
    "put_party",
    "refuse_message",
    "register_package_key",
    "require_called",
    "retire_oldest_key",
    "retire_outbound_secret",
    "seen",
    "settle_batch",
    "shift_deadlines",
    "sum_fen",
    "withdraw",
]
