"""Claims as other features see them."""

from __future__ import annotations

from app.claim.arithmetic import Fault, Line, fault
from app.claim.encryption import for_insurer
from app.claim.package import Head, seal
from app.claim.paying import (
    Payable,
    all_paid,
    ceiling_fen,
    change_payee_to_bank,
    insured,
    paid,
    payable,
    paying,
    returned,
    stopped,
    tell_insurer,
    unpaid,
)
from app.claim.recovery import came_back, ended, owe, void

__all__ = [
    "Fault",
    "Head",
    "Line",
    "Payable",
    "all_paid",
    "came_back",
    "ceiling_fen",
    "change_payee_to_bank",
    "ended",
    "fault",
    "for_insurer",
    "insured",
    "owe",
    "paid",
    "payable",
    "paying",
    "returned",
    "seal",
    "stopped",
    "tell_insurer",
    "unpaid",
    "void",
]
