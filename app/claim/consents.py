"""Under which consents a claim's data go to its insurer: looked up before every sharing, and each leaves a receipt."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from app.claim import rules
from app.claim.contracts import people as c
from app.claim.models.claims import Claim
from app.core.errors import Forbidden, Invalid
from app.core.work import Work
from app.identity import service as identity

CLASSES = ("general", "health")


@dataclass(frozen=True)
class Message:
    """What an insurer is told of a claim that it has: the members there may be, and the kinds of data that are new to
    it in them, of which none goes out without consent."""

    members: frozenset[str]
    news: tuple[str, ...] = ()


# After a consent was taken back the insurer learns nothing new of the patient, but a claim that it has is carried to
# its end: what it needs for that are numbers, amounts and outcomes, most of them its own.
MESSAGES: Mapping[str, Message] = {
    "documents": Message(frozenset({"request_no", "package", "documents"}), rules.IN_PACKAGE),
    "appeal": Message(frozenset({"lines", "reason"}), rules.IN_APPEAL),
    "acceptance": Message(frozenset({"decision_no"})),
    "withdrawal": Message(frozenset({"reversals"})),
    "recovery": Message(
        frozenset({"recovery_no", "clearing_no", "decision_no", "reason", "status", "lost_fen", "share_fen", "due_fen"})
    ),
    "payout": Message(frozenset({"payout_no", "amount_fen", "status", "at"})),
}


def require_given(wanted: c.SubmitClaim) -> None:
    """Each of the two is a consent of its own."""
    missing = {}
    if not wanted.consent:
        missing["consent"] = "需要同意向该保险公司提供身份、票据和理赔信息"
    if not wanted.health_consent:
        missing["health_consent"] = "需要单独同意向该保险公司提供健康信息"
    if missing:
        raise Invalid("consent_needed", "；".join(missing.values()) + "，才能申请理赔", fields=missing)


def give(work: Work, account_id: UUID, insurer_id: UUID, wanted: c.SubmitClaim) -> list[UUID]:
    """The consent for identity, bills and claim, and the one for health data. Conflict as `identity.give_consent`."""
    given, wording = [], wanted.consent_wording or identity.CURRENT_WORDING
    for data_class in CLASSES:
        scope = identity.usual_scope(rules.PURPOSE, data_class)
        one = identity.WantedConsent(wanted.person_id, insurer_id, rules.PURPOSE, scope, wording)
        given.append(identity.give_consent(work, account_id, one))
    return given


def cover(work: Work, row: Claim, what: Collection[str]) -> bool:
    """Whether these kinds of data may go to the insurer now."""
    return set(what) <= identity.may_be_shared(work.session, row.person_id, row.insurer_id, rules.PURPOSE)


def renew(work: Work, row: Claim) -> bool:
    """Let the claim name the consents that are in force: one given anew is another row. False if one is missing."""
    if not cover(work, row, rules.IN_PACKAGE):
        return False
    given = identity.consents_in_force(work.session, row.person_id, row.insurer_id, rules.PURPOSE)
    row.consent_id, row.health_consent_id = (given[data_class].id for data_class in CLASSES)
    return True


def require_declared(what: str, body: Mapping[str, object]) -> None:
    """ValueError for a message that would tell more than its kind may, KeyError for a kind that is not declared."""
    if more := body.keys() - MESSAGES[what].members:
        raise ValueError(f"a message of {what} must not hold {sorted(more)}")


def share(work: Work, row: Claim, occasion: str, what: Collection[str], reference: str = "") -> bool:
    """The receipt of a sharing with the insurer; False, and nothing may be shared, if the patient has taken a consent
    back. The same occasion and reference again is the same sharing."""
    try:
        identity.note_shared(work, _sharing(row, occasion, what, reference))
    except Forbidden:
        return False
    return True


def share_once(work: Work, row: Claim, occasion: str, what: Collection[str]) -> bool:
    """As `share`; what may have gone out under consent before goes out again as it was, though it was taken back."""
    return identity.was_shared(work.session, _sharing(row, occasion, what)) or share(work, row, occasion, what)


def _sharing(row: Claim, occasion: str, what: Collection[str], reference: str = "") -> identity.Sharing:
    return identity.Sharing(
        person_id=row.person_id,
        recipient_id=row.insurer_id,
        purpose=rules.PURPOSE,
        what=what,
        occasion=occasion,
        subject_id=row.id,
        about_no=row.no,
        reference=reference,
    )
