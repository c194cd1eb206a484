"""Talks with WeChat Pay about orders and refunds, each begin → call with no session open → finish."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from app.core.clock import SHANGHAI
from app.core.errors import PartnerFault, TryLater
from app.core.tasks import Job
from app.core.work import Runtime, Work
from app.gateways import Gateways
from app.gateways.wechat import pay
from app.identity import service as identity
from app.identity.service import MerchantCredentials
from app.payment import service
from app.payment.models import PaymentOrder, Refund
from app.payment.states import OrderState, RefundState

LOOK_PAUSE_S = 10.0
QUARANTINE_S = 5.0  # how long WeChat may take to show a request whose answer was lost


@dataclass(frozen=True)
class _Talk:
    """What is needed to speak about an order with no session open."""

    order: PaymentOrder
    merchant: MerchantCredentials


def prepay(runtime: Runtime, gateways: Gateways, job: Job) -> None:
    """Place the order. The same number again is the same order, so a lost answer is simply asked for again."""
    with runtime.work() as work:
        talk = _talk(work, job.subject)
        app_id, openid = identity.payment_identity(work.session, talk.order.account_id)
    if talk.order.status != OrderState.CREATED:
        return
    prepay_id = gateways.pay.order(
        talk.merchant,
        pay.Order(
            app_id=app_id,
            openid=openid,
            out_trade_no=talk.order.out_trade_no,
            description=talk.order.description,
            amount_fen=talk.order.amount_fen,
            notify_url=_notify_url(runtime, talk.merchant),
            time_expire=talk.order.expires_at.astimezone(SHANGHAI).isoformat(timespec="seconds"),
        ),
    )
    with runtime.work(finish=[job]) as work:
        service.prepaid(work, talk.order.id, prepay_id)


def look(runtime: Runtime, gateways: Gateways, job: Job) -> None:
    """Nobody has told us: ask. Past its deadline the order is closed and asked about once more, because a payment may
    win that race."""
    with runtime.work() as work:
        talk = _talk(work, job.subject)
    if talk.order.status not in (OrderState.CREATED, OrderState.PREPAID):
        return
    if _learn_paid(runtime, gateways, talk):
        return
    if runtime.clock.now() < talk.order.expires_at:
        raise TryLater(LOOK_PAUSE_S)
    _close(runtime, gateways, talk)


def close(runtime: Runtime, gateways: Gateways, job: Job) -> None:
    with runtime.work() as work:
        talk = _talk(work, job.subject)
    if talk.order.status in (OrderState.CREATED, OrderState.PREPAID):
        _close(runtime, gateways, talk)


def _close(runtime: Runtime, gateways: Gateways, talk: _Talk) -> None:
    try:
        gateways.pay.close(talk.merchant, talk.order.out_trade_no)
    except PartnerFault as fault:
        if not fault.permanent:
            raise
    if not _learn_paid(runtime, gateways, talk):
        with runtime.work() as work:
            service.closed(work, talk.order.id)


def _learn_paid(runtime: Runtime, gateways: Gateways, talk: _Talk) -> bool:
    trade = gateways.pay.query(talk.merchant, talk.order.out_trade_no)
    if trade is None or trade.get("trade_state") not in ("SUCCESS", "REFUND"):
        return False
    with runtime.work() as work:
        service.paid(work, talk.order.id, trade)
    return True


def refund(runtime: Runtime, gateways: Gateways, job: Job) -> None:
    """Send a refund; whatever is not a clear answer makes it unknown, and it is asked for before it is sent again."""
    with runtime.work() as work:
        row, talk = _refund_talk(work, job.subject)
    if row.status != RefundState.CREATED:
        return
    talk.order.require_check(runtime.privacy)
    try:
        said = gateways.pay.refund(
            talk.merchant,
            pay.Refund(
                out_refund_no=row.out_refund_no,
                out_trade_no=talk.order.out_trade_no,
                amount_fen=row.amount_fen,
                total_fen=talk.order.amount_fen,
                reason=row.reason,
                notify_url=_notify_url(runtime, talk.merchant),
            ),
        )
    except PartnerFault as fault:
        if fault.permanent:
            raise
        with runtime.work(finish=[job]) as work:
            service.lost_sight(work, row.id, timedelta(seconds=QUARANTINE_S))
        return
    with runtime.work(finish=[job]) as work:
        service.refund_said(work, row.id, said)


def look_at_refund(runtime: Runtime, gateways: Gateways, job: Job) -> None:
    with runtime.work() as work:
        row, talk = _refund_talk(work, job.subject)
    if row.status not in (RefundState.UNKNOWN, RefundState.PROCESSING):
        return
    said = gateways.pay.query_refund(talk.merchant, row.out_refund_no)
    with runtime.work(finish=[job]) as work:
        if said is None:
            service.refund_not_there(work, row.id)
        else:
            service.refund_said(work, row.id, said)
            if said.get("status") == "PROCESSING" and row.status == RefundState.PROCESSING:
                work.later("payment.look_at_refund", row.id, run_at=work.now + timedelta(seconds=LOOK_PAUSE_S))


def apply_notification(runtime: Runtime, _: Gateways, job: Job) -> None:
    with runtime.work(finish=[job]) as work:
        service.apply_notification(work, job.subject)


def _talk(work: Work, order_id: UUID) -> _Talk:
    order = service.get(work, order_id)
    merchant = identity.merchant_credentials(work.session, work.privacy, party_id=order.hospital_id)
    return _Talk(order, merchant)


def _refund_talk(work: Work, refund_id: UUID) -> tuple[Refund, _Talk]:
    row = service.get_refund(work, refund_id)
    return row, _talk(work, row.order_id)


def _notify_url(runtime: Runtime, merchant: MerchantCredentials) -> str:
    return f"{runtime.settings.public_url}/wechat/pay/{merchant.mchid}"
