"""Claims with their bills, clocks, packages and documents."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from app.claim import rules
from app.claim.models.claims import Claim, ClaimBill, ClaimClock, Policy
from app.claim.models.decisions import Recovery
from app.claim.models.packages import ClaimDocument, ClaimPackage, DocumentRequest
from app.claim.states import LIVE, State
from app.core.paging import PageQuery, page
from app.identity import service as identity


def claim(session: Session, claim_id: UUID) -> Claim | None:
    return session.get(Claim, claim_id)


def claim_by_no(session: Session, no: str, insurer_id: UUID) -> Claim | None:
    return session.scalar(select(Claim).where(Claim.no == no, Claim.insurer_id == insurer_id))


def claim_with_no(session: Session, no: str) -> Claim | None:
    """Whoever's it is: for people of ours only."""
    return session.scalar(select(Claim).where(Claim.no == no))


def page_of_account(
    session: Session, account_id: UUID, query: PageQuery, **numbers: str | None
) -> tuple[Sequence[Claim], UUID | None]:
    """A patient's claims, of one number where one is given: `no` ours, `case_no` the insurer's."""
    mine = select(Claim).where(Claim.account_id == account_id, *_equal(numbers))
    return page(session, mine, Claim.id, query)


def page_of_party(
    session: Session, party_id: UUID | None, query: PageQuery, *, clearing_no: str | None, **equal: str | None
) -> tuple[Sequence[Claim], UUID | None]:
    """Claims of a hospital or an insurer, or of all (None), by `no`, `case_no`, `status`, or a clearing number."""
    found = select(Claim).where(*_of_party(party_id), *_equal(equal))
    if clearing_no is not None:
        found = found.where(Claim.id.in_(select(ClaimBill.claim_id).where(ClaimBill.clearing_no == clearing_no)))
    return page(session, found, Claim.id, query)


def claims_by_id(session: Session, claim_ids: Collection[UUID]) -> dict[UUID, Claim]:
    return {row.id: row for row in session.scalars(select(Claim).where(Claim.id.in_(claim_ids)))}


def claim_of_party(session: Session, party_id: UUID | None, claim_id: UUID) -> Claim | None:
    return session.scalar(select(Claim).where(Claim.id == claim_id, *_of_party(party_id)))


def page_of_recoveries(
    session: Session, party_id: UUID | None, status: str, query: PageQuery
) -> tuple[Sequence[Recovery], UUID | None]:
    """Recoveries in a state, of a hospital's or an insurer's claims, or of all."""
    mine = select(Claim.id).where(*_of_party(party_id))
    found = select(Recovery).where(Recovery.status == status, Recovery.claim_id.in_(mine))
    return page(session, found, Recovery.id, query)


def page_of_late(
    session: Session, party_id: UUID | None, kind: str | None, query: PageQuery
) -> tuple[Sequence[ClaimClock], UUID | None]:
    """Clocks that were found late and still run, of one kind or of all, of a party's claims or of all."""
    mine = select(Claim.id).where(*_of_party(party_id))
    late = (ClaimClock.late_at.is_not(None), ClaimClock.ended_at.is_(None), ClaimClock.claim_id.in_(mine))
    found = select(ClaimClock).where(*late)
    return page(session, found if kind is None else found.where(ClaimClock.kind == kind), ClaimClock.id, query)


def _of_party(party_id: UUID | None) -> list[ColumnElement[bool]]:
    return [] if party_id is None else [or_(Claim.hospital_id == party_id, Claim.insurer_id == party_id)]


def _equal(wanted: Mapping[str, str | None]) -> list[ColumnElement[bool]]:
    return [getattr(Claim, name) == value for name, value in wanted.items() if value is not None]


def bills(session: Session, claim_id: UUID) -> Sequence[ClaimBill]:
    """The clearing rows of a claim in the order of their numbers."""
    return session.scalars(select(ClaimBill).where(ClaimBill.claim_id == claim_id).order_by(ClaimBill.ordinal)).all()


def live_rows(session: Session, claim_id: UUID) -> Sequence[ClaimBill]:
    """The bills that the claim still stands for."""
    return [row for row in bills(session, claim_id) if row.kind == "pay" and row.live]


def live_rows_of_bill(session: Session, bill_id: UUID) -> Sequence[ClaimBill]:
    mine = (ClaimBill.bill_id == bill_id, ClaimBill.kind == "pay", ClaimBill.live)
    return session.scalars(select(ClaimBill).where(*mine).order_by(ClaimBill.id)).all()


def claimed_with(session: Session, bill_id: UUID, insurer_id: UUID, policy_no: str | None) -> bool:
    """Whether a live claim with this insurer holds the bill: under the same policy, or under one not known yet."""
    found = (
        select(Claim.id)
        .join(ClaimBill, ClaimBill.claim_id == Claim.id)
        .where(ClaimBill.bill_id == bill_id, ClaimBill.live, Claim.insurer_id == insurer_id, Claim.status.in_(LIVE))
    )
    if policy_no is not None:
        found = found.where(or_(Claim.policy_no.is_(None), Claim.policy_no == policy_no))
    return session.scalar(found.limit(1)) is not None


def claims_of_bills(session: Session, bill_ids: Sequence[UUID]) -> Sequence[Claim]:
    """Live claims that hold any of these bills."""
    holding = select(ClaimBill.claim_id).where(ClaimBill.bill_id.in_(bill_ids), ClaimBill.live)
    return session.scalars(select(Claim).where(Claim.id.in_(holding)).order_by(Claim.id)).all()


def waiting_claims(session: Session, bill_ids: Collection[UUID]) -> Sequence[UUID]:
    """Claims that wait for an earlier one on any of these bills."""
    holding = select(ClaimBill.claim_id).where(ClaimBill.bill_id.in_(bill_ids), ClaimBill.live)
    mine = (Claim.status == State.VERIFIED, Claim.waiting["code"].astext == rules.EARLIER_CLAIM)
    return session.scalars(select(Claim.id).where(*mine, Claim.id.in_(holding)).order_by(Claim.id)).all()


def claims_under_consent(session: Session, consent_id: UUID) -> Sequence[Claim]:
    """Live claims whose data may not go to their insurer without this consent."""
    given = identity.consent(session, consent_id)
    if given.purpose != rules.PURPOSE:
        return []
    mine = (Claim.person_id == given.person_id, Claim.insurer_id == given.recipient_id)
    return session.scalars(select(Claim).where(*mine, Claim.status.in_(LIVE)).order_by(Claim.id)).all()


def policy_of(session: Session, row: Claim) -> Policy:
    """The policy that a verified claim is made under, as the insurer last described it."""
    mine = (Policy.insurer_id == row.insurer_id, Policy.person_id == row.person_id, Policy.policy_no == row.policy_no)
    return session.scalars(select(Policy).where(*mine)).one()


def package_for(session: Session, claim_id: UUID, request_id: UUID | None) -> ClaimPackage | None:
    """The version that answers this request for documents; without one the first."""
    mine = (ClaimPackage.claim_id == claim_id, ClaimPackage.request_id.is_not_distinct_from(request_id))
    return session.scalar(select(ClaimPackage).where(*mine))


def latest_package(session: Session, claim_id: UUID) -> ClaimPackage | None:
    mine = select(ClaimPackage).where(ClaimPackage.claim_id == claim_id)
    return session.scalar(mine.order_by(ClaimPackage.version.desc()).limit(1))


def document_requests(session: Session, claim_id: UUID) -> Sequence[DocumentRequest]:
    mine = select(DocumentRequest).where(DocumentRequest.claim_id == claim_id)
    return session.scalars(mine.order_by(DocumentRequest.id)).all()


def clocks(session: Session, claim_id: UUID) -> Sequence[ClaimClock]:
    """All that ever ran for a claim, in the order in which they began."""
    return session.scalars(select(ClaimClock).where(ClaimClock.claim_id == claim_id).order_by(ClaimClock.id)).all()


def running_clock(session: Session, claim_id: UUID, kind: str) -> ClaimClock | None:
    mine = (ClaimClock.claim_id == claim_id, ClaimClock.kind == kind, ClaimClock.ended_at.is_(None))
    return session.scalar(select(ClaimClock).where(*mine))


def clocks_to_mark(
    session: Session, moment: datetime, pausable: Sequence[str], most: int
) -> list[tuple[ClaimClock, Claim]]:
    """Clocks that ran out by `moment`, locked, with their claims: those that nobody has marked as late, and that do not
    stand still."""
    stands = and_(ClaimClock.kind.in_(pausable), Claim.clock_paused_since.is_not(None))
    ran_out = (ClaimClock.ended_at.is_(None), ClaimClock.late_at.is_(None), ClaimClock.due_at <= moment, ~stands)
    found = select(ClaimClock, Claim).join(Claim, Claim.id == ClaimClock.claim_id).where(*ran_out)
    locked = found.order_by(ClaimClock.due_at).limit(most).with_for_update(of=ClaimClock, skip_locked=True)
    return [(clock, row) for clock, row in session.execute(locked)]


def documents_of_claim(session: Session, claim_id: UUID) -> Sequence[ClaimDocument]:
    """Everything the patient has sent, in the order it came."""
    return session.scalars(
        select(ClaimDocument).where(ClaimDocument.claim_id == claim_id).order_by(ClaimDocument.id)
    ).all()
