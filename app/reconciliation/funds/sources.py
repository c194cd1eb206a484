"""Where each bill of a day is to be had."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from sqlalchemy.orm import Session

from app.core.errors import NotFound, PartnerFault
from app.core.privacy import Privacy
from app.exchange import service as exchange
from app.exchange.service import Endpoint
from app.gateways import Gateways
from app.identity import service as identity
from app.identity.service import MerchantCredentials
from app.reconciliation.funds.bills import BANK
from app.reconciliation.funds.comparison import Side

_NOT_READY = frozenset({"bill_not_ready", "statement_not_ready"})


@dataclass(frozen=True)
class Source:
    """Who has the bill; one of the two."""

    role: str
    day: date
    merchant: MerchantCredentials | None = field(default=None, repr=False)
    bank: Endpoint | None = field(default=None, repr=False)

    def ask(self, gateways: Gateways, message_id: str) -> bytes | None:
        """The bill as it came; None: nothing happened that day. PartnerFault where it is not to be had."""
        if self.bank is not None:
            return gateways.bank.statement(self.bank, message_id, self.day)
        assert self.merchant is not None
        return gateways.pay.bill(self.merchant, self.day, self.role)


def source(session: Session, privacy: Privacy, side: Side, day: date) -> Source | str:
    """Where the bill is, or the code for why it is nowhere."""
    role, party_id = side
    try:
        if role == BANK:
            return Source(role, day, bank=exchange.endpoint(session, privacy, party_id))
        return Source(role, day, merchant=identity.merchant_credentials(session, privacy, party_id=party_id))
    except NotFound:
        return "no_endpoint" if role == BANK else "no_merchant"


def is_early(fault: PartnerFault) -> bool:
    """Whether the bill is not made yet."""
    return fault.code in _NOT_READY


def why(fault: PartnerFault) -> str:
    """The code (rules.BLOCKED) of a bill that was not to be had."""
    if is_early(fault):
        return "bill_not_ready"
    return "partner_refused" if fault.is_answer else "not_reached"
