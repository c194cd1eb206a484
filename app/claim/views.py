"""Claims as patients and operators read them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit.queries import AuditEntry
from app.claim import clocks, rules
from app.claim.contracts import people as c
from app.claim.models.claims import Claim, ClaimClock
from app.claim.models.decisions import Recovery
from app.claim.models.packages import DocumentRequest
from app.claim.queries import lookup, outcomes
from app.claim.states import HOLDER, RECOVERY_HOLDER, RecoveryState, State


def claim(row: Claim) -> c.ClaimView:
    names = set(c.ClaimView.model_fields) - {"reasons"}
    reasons = [c.ReasonView(**reason) for reason in row.reasons or ()]
    return c.ClaimView(**{name: getattr(row, name) for name in names}, reasons=reasons)


def detail(session: Session, row: Claim) -> c.ClaimDetail:
    """Patients look again and again: what only a decision brings is looked for only behind one."""
    decision, bills = outcomes.latest_decision(session, row.id), lookup.bills(session, row.id)
    recoveries = outcomes.recoveries(session, row.id)
    letters = outcomes.letters(session, row.id) if decision else []
    return c.ClaimDetail(
        **claim(row).model_dump(),
        decision_no=decision.decision_no if decision else None,
        payable_fen=sum(bill.payable_fen for bill in bills if bill.kind == "pay"),
        bills=[c.ClaimBillView.model_validate(bill, from_attributes=True) for bill in bills],
        lines=_lines(session, decision.id) if decision else [],
        recoveries=[recovery(one) for one in recoveries],
        document_requests=[_document_request(one) for one in lookup.document_requests(session, row.id)],
        clocks=[clock(one, row) for one in lookup.clocks(session, row.id)],
        letters=[c.LetterView.model_validate(one, from_attributes=True) for one in letters],
        timeline=_steps(row, outcomes.history(session, row.id, recoveries)),
    )


def _lines(session: Session, decision_id: UUID) -> list[c.LineView]:
    return [
        c.LineView(
            clearing_no=line.clearing_no,
            line_no=line.line_no,
            billed_fen=line.billed_fen,
            covered_fen=line.covered_fen,
            deductible_fen=line.deductible_fen,
            ratio=str(line.ratio),
            cap_fen=line.cap_fen,
            approved_fen=line.approved_fen,
            reasons=[c.ReasonView(**reason) for reason in line.reasons],
            in_words=rules.in_words(line.billed_fen, line.approved_fen, [reason["text"] for reason in line.reasons]),
        )
        for line in outcomes.decision_lines(session, decision_id)
    ]


def _document_request(row: DocumentRequest) -> c.DocumentRequestView:
    return c.DocumentRequestView(
        request_no=row.request_no,
        items=[c.ItemView(**item) for item in row.items],
        reason=row.reason,
        deadline=row.deadline,
        answered=row.answered_at is not None,
    )


def clock(row: ClaimClock, of: Claim) -> c.ClockView:
    names = ("kind", "days", "started_at", "paused_s", "due_at", "late_at", "ended_at")
    stands = row.kind in clocks.PAUSABLE and row.ended_at is None
    return c.ClockView(
        **{name: getattr(row, name) for name in names},
        paused_since=of.clock_paused_since if stands else None,
        in_words=rules.CLOCK_TEXTS[row.kind].format(days=row.days),
    )


def late_item(row: ClaimClock, of: Claim) -> c.LateItem:
    return c.LateItem(
        **clock(row, of).model_dump(),
        claim_id=of.id,
        claim_no=of.no,
        holder_since=of.status_since,
        **{name: getattr(of, name) for name in ("case_no", "hospital_id", "insurer_id", "status", "holder")},
    )


def recovery(row: Recovery) -> c.RecoveryView:
    return c.RecoveryView(
        recovery_no=row.recovery_no,
        clearing_no=row.clearing_no,
        status=row.status,
        status_since=row.status_since,
        holder=RECOVERY_HOLDER[RecoveryState(row.status)],
        due_fen=row.due_fen,
        in_words=rules.recovery_in_words(row.reason, row.status, row.due_fen),
    )


def recovery_item(row: Recovery, of: Claim) -> c.RecoveryItem:
    return c.RecoveryItem(
        **recovery(row).model_dump(), claim_id=of.id, claim_no=of.no, case_no=of.case_no, insurer_id=of.insurer_id
    )


def timeline(session: Session, row: Claim) -> list[c.StepView]:
    """Every step of the claim and of its recoveries, oldest first."""
    return _steps(row, outcomes.history(session, row.id, outcomes.recoveries(session, row.id)))


def _steps(row: Claim, history: Sequence[AuditEntry]) -> list[c.StepView]:
    steps = []
    for entry in history:
        if entry.to_status is None:
            continue
        if entry.subject_id == row.id:
            status, holder = entry.to_status, HOLDER[State(entry.to_status)]
        else:
            status, holder = f"recovery_{entry.to_status}", RECOVERY_HOLDER[RecoveryState(entry.to_status)]
        steps.append(c.StepView(at=entry.at, status=status, holder=holder))
    return steps
