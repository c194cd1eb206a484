"""Is everything there that a claim needs? And how a claim ends before the insurer has it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete

from app.claim import rules
from app.claim.models.claims import Claim
from app.claim.models.e_bills import EBillGuard
from app.claim.queries import lookup
from app.claim.states import State
from app.claim.steps import advance, get, tell
from app.core.work import Work
from app.record import queries as record
from app.record import service as records
from app.record.queries import BillFacts

# Another hospital had named the e-bill before.
_ELSEWHERE = "e_bill_elsewhere"


def assemble(work: Work, claim_id: UUID) -> bool:
    """True when the hospital's data are complete and the claim went on (or ended), False while data are missing: then
    the claim shows what, and until when it waits."""
    row = get(work, claim_id)
    if row.status != State.ASSEMBLING:
        return True
    bills = record.bills(work.session, [b.bill_id for b in lookup.bills(work.session, row.id)])
    dead = why_dead(bills)
    missing = next((code for bill in bills if (code := _missing(work, bill)) is not None), None)
    if dead is not None:
        end_ineligible(work, row, dead)
    elif missing is None:
        records.verify_checks(work, [bill.id for bill in bills])
        advance(work, row, "verify")
        work.later("claim.verify", row.id)
    elif work.now - row.status_since > rules.DATA_WAIT:
        end_ineligible(work, row, missing if missing == _ELSEWHERE else "data_missing")
    else:
        _wait(work, row, missing)
        return False
    return True


def _wait(work: Work, row: Claim, missing: str) -> None:
    if row.waiting is None or row.waiting["code"] != missing:
        row.waiting = rules.waits_for(missing, work.now, row.status_since + rules.DATA_WAIT)


def why_dead(bills: list[BillFacts]) -> str | None:
    """The code of what makes a claim of these bills hopeless: the hospital has taken one back since."""
    lost = next((why for bill in bills if (why := why_lost(bill)) is not None), None)
    if lost is not None:
        return lost
    return "bill_zero" if any(bill.state == "settled" and bill.borne_fen <= 0 for bill in bills) else None


def why_lost(bill: BillFacts) -> str | None:
    """The code of how the hospital took a bill back."""
    if bill.e_bill_state == "reversed":
        return "e_bill_reversed"
    return "bill_refunded" if bill.state == "refunded" else None


def _missing(work: Work, bill: BillFacts) -> str | None:
    """The code of what the hospital still has to send or to mend, None if nothing."""
    if bill.state != "settled":
        return "bill_unsettled"
    if bill.refused_reason is not None:
        return "bill_refused"
    if bill.e_bill_state != "issued":
        return "e_bill_missing"
    return _ELSEWHERE if record.held_elsewhere(work.session, [bill.id]) else None


def end_ineligible(work: Work, row: Claim, code: str, reasons: list[dict[str, str]] | None = None) -> None:
    """The claim ends without a decision; its bills are free again."""
    told = reasons or [{"code": code, "text": rules.TEXTS[code]}]
    if advance(work, row, "ineligible", reasons=told):
        release_bills(work, row)
        tell(work, row, "claim_ineligible", {"no": row.no, "reason": told[0]["text"]}, "")


def release_bills(work: Work, row: Claim) -> None:
    """An ended claim holds nothing: its bills and e-bills may be claimed again, and nobody waits for it."""
    for clearing in lookup.bills(work.session, row.id):
        clearing.live = False
    work.session.execute(delete(EBillGuard).where(EBillGuard.claim_id == row.id))
    work.emit("claim.bills_released", row.id)
