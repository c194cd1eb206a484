"""Asking insurers for what they do not tell by themselves, each begin → call with no session open → finish."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from app.claim import decisions, documents, following
from app.claim.calls import read_answer
from app.claim.contracts import partners
from app.claim.following import Asking
from app.claim.policy import service as policies
from app.core.errors import Invalid, NotFound, PartnerFault, TryLater
from app.core.log import get_log
from app.core.tasks import Job
from app.core.work import Runtime
from app.gateways import Gateways
from app.gateways.insurer.speaking import News

log = get_log(__name__)
HEARD: dict[str, tuple[type[BaseModel], Any]] = {
    "claim.adjudicated": (partners.AdjudicatedIn, decisions.adjudicated),
    "claim.documents_requested": (partners.DocumentsRequestedIn, documents.requested),
}


def follow(runtime: Runtime, gateways: Gateways, job: Job) -> None:
    """What is new about a case goes the way of a message of the same type. An insurer that cannot be reached is asked
    again at the usual pause, for as long as the case is open."""
    with runtime.work() as work:
        asking = following.question(work, job.subject)
    if asking is None:
        return
    try:
        news = gateways.insurer.news(asking.at, f"case-{job.id}-{job.fence}", asking.case)
    except PartnerFault as fault:
        if fault.permanent:
            raise
        raise TryLater(asking.pause_s) from fault
    heard = set(job.args.get("heard", ()))
    fresh = [(one, read_answer(HEARD[one.type][0], one.data)) for one in news if one.number not in heard]
    for one, said in fresh:
        _hear(runtime, asking, one, said)
    with runtime.work(finish=[job]) as work:
        following.go_on(work, job.subject, heard | {one.number for one, _ in fresh})


def _hear(runtime: Runtime, asking: Asking, one: News, said: BaseModel) -> None:
    """Nothing comes of what a rule refuses: the insurer finds that in its feed, and it is not heard a second time."""
    try:
        with runtime.work() as work:
            HEARD[one.type][1](work, asking.insurer_id, said)
    except (NotFound, Invalid) as refusal:
        log.warning("news_refused", type=one.type, code=refusal.code)
        with runtime.work() as work:
            following.refuse(work, asking, one.type, one.number, refusal.code)


def ask_policies(runtime: Runtime, gateways: Gateways, job: Job) -> None:
    """Which policies a person has at an insurer; asked under the consent that was given for it."""
    with runtime.work() as work:
        asked = policies.to_ask(work, job.subject)
    if asked is None:
        return
    message_id = f"policies-{job.subject}-{job.id}-{job.tries}"
    answer = read_answer(partners.EligibilityIn, gateways.insurer.eligibility(asked.at, message_id, asked.question))
    with runtime.work(finish=[job]) as work:
        policies.answered(work, job.subject, answer)
