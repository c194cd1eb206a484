"""Moving money: intent committed → send with our stable number → paid, failed, or unknown and asked for by number."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.core.errors import PartnerFault, TryLater
from app.core.tasks import Job
from app.core.work import Runtime, Work
from app.exchange import service as exchange
from app.gateways import Gateways
from app.identity import service as identity
from app.payment import service as payment
from app.payout import queries, rules, service
from app.payout.models import Payout
from app.payout.states import MOVING, State
from app.payout.ways import AMOUNT_DIFFERS, Said, Way, bank_said, way_of, wechat_said


def create(runtime: Runtime, _: Gateways, job: Job) -> None:
    with runtime.work(finish=[job]) as work:
        service.create(work, job.subject)


def send(runtime: Runtime, gateways: Gateways, job: Job) -> None:
    """Send an approved payout once. If this worker, or one before it, may have sent it already, it is looked for."""
    with runtime.work() as work:
        row = service.get(work, job.subject, lock=True)
        may_send = service.may_send(work, row)
        way = way_of(work, row) if may_send else None
        if may_send:
            service.begin_sending(work, row.id)
    if way is not None:
        _send(runtime, gateways, job, way, again=False)
        return
    with runtime.work(finish=[job]) as work:
        service.lost_sight(work, job.subject)


def _send(runtime: Runtime, gateways: Gateways, job: Job, way: Way, *, again: bool) -> None:
    """`again`: the answer to an earlier try was lost, so that a refusal of this one proves nothing about that one."""
    try:
        found = way.send(gateways)
    except PartnerFault as fault:
        with runtime.work(finish=[job]) as work:
            _not_taken(work, job.subject, fault, again=again)
        return
    with runtime.work(finish=[job]) as work:
        if found is None:
            service.lost_sight(work, job.subject)
        else:
            _note(work, job.subject, found)


def _not_taken(work: Work, payout_id: UUID, fault: PartnerFault, *, again: bool) -> None:
    if not fault.permanent or fault.unknown:
        service.lost_sight(work, payout_id)
    elif fault.code in rules.TOP_UP:
        service.lost_sight(work, payout_id, pause_s=rules.SLOW_LOOK_PAUSE_S)
    elif again:
        service.lost_sight(work, payout_id, refused=fault.code)
    else:
        service.said(work, payout_id, "fail", {"failed_code": fault.code})


def look(runtime: Runtime, gateways: Gateways, job: Job) -> None:
    """Ask the provider by our own number; only where it certainly has none, a quarantine after it was last sent, is the
    same number sent again."""
    with runtime.work() as work:
        row = service.get(work, job.subject, lock=True)
        if row.status not in MOVING:
            return
        status, waits_s = row.status, service.quarantine_left_s(work, row)
        way = way_of(work, row)
    if status == State.SENDING:  # whoever was sending it is gone
        with runtime.work(finish=[job]) as work:
            service.lost_sight(work, job.subject)
        return
    if waits_s > 0:
        raise TryLater(waits_s)
    try:
        found = way.query(gateways, f"query-{job.id}-{job.fence}")
    except LookupError:
        _not_there(runtime, gateways, job, way)
        return
    except PartnerFault as fault:
        if fault.code == AMOUNT_DIFFERS:
            raise
        raise TryLater(rules.LOOK_PAUSE_S) from fault
    with runtime.work(finish=[job]) as work:
        _note(work, job.subject, found)
    if found is not None and found[0] == "wait_for_user" and row.package_info is None:
        _ask_for_package(runtime, gateways, job.subject, way)


def _not_there(runtime: Runtime, gateways: Gateways, job: Job, way: Way) -> None:
    with runtime.work() as work:
        again = service.not_there(work, job.subject)
    if again:
        _send(runtime, gateways, job, way, again=True)
        return
    with runtime.work(finish=[job]) as work:
        _note(work, job.subject, None)


def _note(work: Work, payout_id: UUID, found: Said | None) -> None:
    """Keep what was said, and look again while the money is on its way."""
    if found is not None:
        service.said(work, payout_id, *found)
    status = service.get(work, payout_id, lock=True).status
    if status in MOVING:
        slow = status == State.WAITING_USER_CONFIRM
        service.look_later(work, payout_id, rules.SLOW_LOOK_PAUSE_S if slow else rules.LOOK_PAUSE_S)


def _ask_for_package(runtime: Runtime, gateways: Gateways, payout_id: UUID, way: Way) -> None:
    """The answer that held the key to the confirmation page was lost, and a query does not give it: the same number
    with the same content is the same transfer, and says it again."""
    try:
        found = way.send(gateways)
    except PartnerFault:
        return  # the next look asks again
    if found is not None:
        with runtime.work() as work:
            service.keep_package(work, payout_id, found[1].get("package_info"))


def notified(runtime: Runtime, _: Gateways, job: Job) -> None:
    """WeChat Pay says that a transfer has ended."""
    with runtime.work(finish=[job]) as work:
        mchid, content = payment.transfer_notification(work.session, job.subject)
        row = queries.by_number(work.session, str(content["out_bill_no"]))
        if row is None:
            return
        merchant = identity.merchant_credentials(work.session, work.privacy, party_id=row.insurer_id)
        found = wechat_said(content)
        if merchant.mchid != mchid or content.get("transfer_amount") != row.amount_fen or found is None:
            work.audit("payout.notification_differs", "payout", row.id)
            return
        service.said(work, row.id, *found)


def bank_finished(runtime: Runtime, _: Gateways, job: Job) -> None:
    with runtime.work(finish=[job]) as work:
        row, data = _of_message(work, job.subject)
        found = bank_said(data)
        if row is not None and found is not None:
            service.said(work, row.id, *found)


def bank_returned(runtime: Runtime, _: Gateways, job: Job) -> None:
    with runtime.work(finish=[job]) as work:
        row, data = _of_message(work, job.subject)
        if row is not None:
            # A return proves that the transfer had succeeded, whether or not we were told.
            service.said(work, row.id, "succeed", {})
            service.returned(work, row.id, str(data.get("reason", "returned"))[:60])


def _of_message(work: Work, message_id: UUID) -> tuple[Payout | None, dict[str, Any]]:
    message = exchange.open_message(work, message_id)
    row = queries.by_number(work.session, str(message.data.get("out_no", "")))
    return (row if row is not None and row.channel == "bank" else None), message.data
