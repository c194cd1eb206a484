"""Claims as other features see them."""

from __future__ import annotations

from app.claim.paying import (
    Payable,
    change_payee_to_bank,
    paid,
    payable,
    paying,
    returned,
    tell_insurer,
    unpaid,
)

__all__ = [
    "Payable",
    "change_payee_to_bank",
    "paid",
    "payable",
    "paying",
    "returned",
    "tell_insurer",
    "unpaid",
]
