"""The talk with the e-bill authority about a claim's e-bills, before the insurer is asked anything."""

from __future__ import annotations

from uuid import UUID

from app.claim import e_bill_checks
from app.claim.e_bills import ClaimedEBill
from app.core.errors import PartnerFault, TryLater
from app.core.log import get_log
from app.core.work import Runtime
from app.gateways import Gateways

log = get_log(__name__)


def stands_by(runtime: Runtime, gateways: Gateways, claim_id: UUID) -> bool:
    """Whether the claim may go on; otherwise it has ended. TryLater while the authority cannot be asked: the claim
    shows that it waits."""
    if not gateways.e_bill_authority.connected:
        return True
    with runtime.work() as work:
        asked = e_bill_checks.unchecked(work, claim_id)
    for e_bill in asked:
        _ask(runtime, gateways, claim_id, e_bill)
    with runtime.work() as work:
        return e_bill_checks.checked(work, claim_id)


def _ask(runtime: Runtime, gateways: Gateways, claim_id: UUID, e_bill: ClaimedEBill) -> None:
    try:
        answer = gateways.e_bill_authority.verify(e_bill)
    except PartnerFault as fault:
        with runtime.work() as work:
            e_bill_checks.wait(work, claim_id)
        if fault.permanent:  # asked wrongly: somebody has to mend our side, and the task waits for that
            raise
        log.warning("e_bill_authority_silent", claim=claim_id, code=fault.code)
        raise TryLater(e_bill_checks.AUTHORITY_PAUSE_S) from fault
    with runtime.work() as work:
        e_bill_checks.remember(work, e_bill, answer)
