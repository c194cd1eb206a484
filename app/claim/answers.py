"""What the patient answers to a decision: agreed, or appealed; and what of it may be paid at once."""

from __future__ import annotations

from uuid import UUID

from app.claim import clocks, consents, rules
from app.claim.contracts import people as c
from app.claim.models.claims import Claim
from app.claim.models.decisions import Appeal, Decision
from app.claim.queries import lookup, outcomes
from app.claim.states import State
from app.claim.steps import advance, get, mine, tell
from app.core.errors import Conflict, Forbidden, Invalid, LostRace
from app.core.work import Work


def accept(work: Work, account_id: UUID, claim_id: UUID, wanted: c.AcceptIn) -> Claim:
    """The patient accepts: what was approved becomes payable. Conflict `decision_revised` if another decision was read
    than the one in force: one that supersedes another is accepted by its number alone."""
    row = mine(work, account_id, claim_id)
    decision = outcomes.latest_decision(work.session, row.id)
    if decision is not None:
        read = decision.decision_no if decision.supersedes is None else None
        if (wanted.decision_no or read) != decision.decision_no:
            raise Conflict("decision_revised", "保险公司更新了核赔结果，请看过新的结果再接受")
    if not _accept(work, row):
        raise LostRace("claim", "accept", [row.id])
    return row


def silence(work: Work, claim_id: UUID) -> None:
    """Nobody objected in time: an approved claim is accepted, a rejected one closed."""
    row = get(work, claim_id)
    if row.accept_by is not None and row.accept_by <= work.now and not _accept(work, row):
        advance(work, row, "give_up")


def _accept(work: Work, row: Claim) -> bool:
    if not advance(work, row, "accept"):
        return False
    _release(work, row)
    work.later("claim.tell_acceptance", row.id)
    return True


def _release(work: Work, row: Claim) -> None:
    """All that is approved may be paid, as far as the hospital has not taken its bills back or amended them."""
    for clearing in lookup.live_rows(work.session, row.id):
        clearing.payable_fen = clearing.kept_fen
    work.emit("claim.payable", row.id)


def appeal(work: Work, account_id: UUID, claim_id: UUID, wanted: c.AppealIn) -> Claim:
    """Object to one line, to several or to all, once. What is not disputed is payable at once."""
    row = mine(work, account_id, claim_id)
    decision = outcomes.latest_decision(work.session, row.id)
    if decision is None:
        raise Conflict("not_decided", "还没有核赔结果，不能申诉")
    if outcomes.appeal(work.session, row.id) is not None:
        raise Conflict("appealed_before", "每个理赔只能申诉一次")
    if not consents.cover(work, row, rules.IN_APPEAL):
        raise Forbidden("no_consent", "您已撤回向该保险公司提供信息的同意，请重新同意后再申诉")
    known = {(line.clearing_no, line.line_no) for line in outcomes.decision_lines(work.session, decision.id)}
    if not {(line.clearing_no, line.line_no) for line in wanted.lines} <= known:
        raise Invalid("line_unknown", "没有找到要申诉的费用明细")
    if not advance(work, row, "appeal", accept_by=None):
        raise LostRace("claim", "appeal", [row.id])
    work.add(Appeal(claim_id=row.id, lines=[line.model_dump() for line in wanted.lines], reason=wanted.reason))
    work.later("claim.tell_appeal", row.id)
    if wanted.lines:
        _release_undisputed(work, row, decision, {(line.clearing_no, line.line_no) for line in wanted.lines})
    _prepay_in_time(work, row)
    return row


def _release_undisputed(work: Work, row: Claim, decision: Decision, disputed: set[tuple[str, int]]) -> None:
    """Everything approved but the disputed lines. A returned item is never disputed away: it lowers what is certain."""
    lines = outcomes.decision_lines(work.session, decision.id)
    for clearing in lookup.live_rows(work.session, row.id):
        mine = [line for line in lines if line.clearing_no == clearing.clearing_no]
        open_fen = sum(max(0, line.approved_fen) for line in mine if (line.clearing_no, line.line_no) in disputed)
        clearing.payable_fen = max(clearing.payable_fen, clearing.kept_fen - open_fen)
    work.emit("claim.payable", row.id)


def _prepay_in_time(work: Work, row: Claim) -> None:
    package = lookup.latest_package(work.session, row.id)
    received_at = package.delivered_at if package is not None and package.delivered_at else work.now
    days = clocks.terms(work, row.insurer_id).prepay
    work.later("claim.prepay", row.id, run_at=clocks.due(received_at, days))


def prepay(work: Work, claim_id: UUID) -> None:
    """The appeal is still not decided: what the insurer itself has determined of the disputed lines is paid in advance,
    and the decision to come pays the difference (先予支付, Insurance Law of the PRC, article 25)."""
    row = get(work, claim_id)
    if row.status == State.APPEALED:
        _release(work, row)
        work.audit("claim.prepaid", "claim", row.id)
        tell(work, row, "claim_prepaid", {"no": row.no}, "appeal")


def acceptance_to_tell(work: Work, claim_id: UUID) -> dict[str, object]:
    """Which decision was accepted."""
    decision = outcomes.latest_decision(work.session, get(work, claim_id).id)
    assert decision is not None
    return {"decision_no": decision.decision_no}


def appeal_to_tell(work: Work, claim_id: UUID) -> dict[str, object]:
    """The lines, and with its receipt the reason; without it if a consent was taken back meanwhile."""
    row, appeal = get(work, claim_id), outcomes.appeal(work.session, claim_id)
    assert appeal is not None
    told = consents.share_once(work, row, "appeal", rules.IN_APPEAL)
    return {"lines": appeal.lines, "reason": appeal.reason if told else rules.WITHHELD}
