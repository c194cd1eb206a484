"""Talks with WeChat Pay about orders and refunds, each begin → call with no session open → finish."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.core.clock import SHANGHAI
from app.core.errors import PartnerFault, TryLater
from app.core.log import get_log
from app.core.tasks import Job
from app.core.work import Actor, Runtime, Work
from app.gateways import Gateways
from app.gateways.wechat import pay
from app.identity import service as identity
from app.identity.service import MerchantCredentials
from app.payment import rules, service
from app.payment.models import PaymentOrder, Refund
from app.payment.states import OrderState, RefundState

UNPAID = (OrderState.CREATED, OrderState.PREPAID)
log = get_log(__name__)


@dataclass(frozen=True)
class _Talk:
    """What is needed to speak about an order with no session open."""

    order: PaymentOrder
    merchant: MerchantCredentials


def prepay(runtime: Runtime, gateways: Gateways, job: Job) -> None:
    """Place the order. The same number again is the same order, so a lost answer is simply asked for again. An order
    that WeChat refuses is given up."""
    with runtime.work() as work:
        talk = _talk(work, job.subject)
        app_id, openid = identity.payment_identity(work.session, talk.order.account_id)
    if talk.order.status != OrderState.CREATED:
        return
    wanted = pay.Order(
        app_id=app_id,
        openid=openid,
        out_trade_no=talk.order.out_trade_no,
        description=talk.order.description,
        amount_fen=talk.order.amount_fen,
        notify_url=_notify_url(runtime, talk.merchant),
        time_expire=talk.order.expires_at.astimezone(SHANGHAI).isoformat(timespec="seconds"),
    )
    try:
        prepay_id = gateways.pay.order(talk.merchant, wanted)
    except PartnerFault as fault:
        if not fault.permanent:
            raise
        log.error("order_refused", order=str(talk.order.id), code=fault.code)
        with runtime.work(finish=[job]) as work:
            service.close(work, talk.order.id, fault.code)
        return
    with runtime.work(finish=[job]) as work:
        service.prepaid(work, talk.order.id, prepay_id)


def look(runtime: Runtime, gateways: Gateways, job: Job) -> None:
    """Nobody has told us: ask. Past its deadline the order is closed and asked about once more, because a payment may
    win that race."""
    with runtime.work() as work:
        talk = _talk(work, job.subject)
    if talk.order.status not in UNPAID:
        return
    trade = _ask(gateways, talk)
    if _has_come(trade):
        _learn(runtime, talk, trade)
    elif runtime.clock.now() < talk.order.expires_at:
        raise TryLater(rules.LOOK_PAUSE_S)
    else:
        _close(runtime, gateways, talk)


def close(runtime: Runtime, gateways: Gateways, job: Job) -> None:
    with runtime.work() as work:
        talk = _talk(work, job.subject)
    if talk.order.status in UNPAID:
        _close(runtime, gateways, talk)


def _close(runtime: Runtime, gateways: Gateways, talk: _Talk) -> None:
    try:
        gateways.pay.close(talk.merchant, talk.order.out_trade_no)
    except PartnerFault as fault:
        if not fault.permanent:
            raise TryLater(rules.SILENCE_PAUSE_S) from fault
    _learn(runtime, talk, _ask(gateways, talk))


def _learn(runtime: Runtime, talk: _Talk, trade: dict[str, Any] | None) -> None:
    """Paid after all, or closed for certain; while a user is paying, neither."""
    if not _has_come(trade) and trade is not None and trade.get("trade_state") not in rules.OVER:
        raise TryLater(rules.LOOK_PAUSE_S)
    with runtime.work() as work:
        if trade is not None and _has_come(trade):
            service.paid(work, talk.order.id, trade)
        else:
            service.closed(work, talk.order.id)


def _ask(gateways: Gateways, talk: _Talk) -> dict[str, Any] | None:
    """The order as WeChat sees it. Looking is never given up: money may have moved."""
    try:
        return gateways.pay.query(talk.merchant, talk.order.out_trade_no)
    except PartnerFault as fault:
        log.warning("order_not_shown", order=str(talk.order.id), code=fault.code)
        raise TryLater(rules.SILENCE_PAUSE_S) from fault


def _has_come(trade: dict[str, Any] | None) -> bool:
    return trade is not None and trade.get("trade_state") in rules.MONEY_CAME


def refund(runtime: Runtime, gateways: Gateways, job: Job) -> None:
    """Send a refund; whatever is not a clear answer makes it unknown, and it is asked for before it is sent again."""
    with runtime.work() as work:
        row, talk = _refund_talk(work, job.subject)
        row.require_check(work.privacy)
        talk.order.require_check(work.privacy)
    if row.status != RefundState.CREATED:
        return
    try:
        said = gateways.pay.refund(talk.merchant, _wanted(runtime, row, talk))
    except PartnerFault as fault:
        if fault.permanent and fault.code in rules.SHORT_OF_MONEY:
            log.error("merchant_short_of_money", mchid=talk.merchant.mchid)
            raise TryLater(rules.TOP_UP_PAUSE_S) from fault
        with runtime.work(finish=[job]) as work:
            if fault.permanent:
                service.refund_refused(work, row.id, fault.code)
            else:
                service.lost_sight(work, row.id)
        return
    with runtime.work(finish=[job]) as work:
        service.refund_said(work, row.id, said)


def _wanted(runtime: Runtime, row: Refund, talk: _Talk) -> pay.Refund:
    return pay.Refund(
        out_refund_no=row.out_refund_no,
        out_trade_no=talk.order.out_trade_no,
        amount_fen=row.amount_fen,
        total_fen=talk.order.amount_fen,
        reason=row.reason,
        notify_url=_notify_url(runtime, talk.merchant),
    )


def look_at_refund(runtime: Runtime, gateways: Gateways, job: Job) -> None:
    with runtime.work() as work:
        row, talk = _refund_talk(work, job.subject)
    if row.status not in (RefundState.UNKNOWN, RefundState.PROCESSING, RefundState.ABNORMAL):
        return
    try:
        said = gateways.pay.query_refund(talk.merchant, row.out_refund_no)
    except PartnerFault as fault:
        log.warning("refund_not_shown", refund=str(row.id), code=fault.code)
        raise TryLater(rules.SILENCE_PAUSE_S) from fault
    if said is None and row.status == RefundState.ABNORMAL:  # it was never taken, and is not sent again
        return
    if said is None and row.status == RefundState.PROCESSING:  # it was there already
        raise TryLater(rules.SILENCE_PAUSE_S)
    with runtime.work(finish=[job]) as work:
        if said is None:
            service.refund_not_there(work, row.id)
        else:
            service.refund_said(work, row.id, said)


def take_notification(
    runtime: Runtime, gateways: Gateways, mchid: str, headers: Mapping[str, str], body: bytes, request_id: str
) -> bool:
    """Keep a notification of this merchant number; False if WeChat Pay did not sign it just now."""
    with runtime.read() as session:
        merchant = identity.merchant_credentials(session, runtime.privacy, mchid=mchid)
    found = gateways.pay.read_notification(merchant, headers, body, runtime.clock.now().timestamp())
    if found is None:
        return False
    with runtime.work(Actor("wechat_pay", mchid, request_id)) as work:
        service.take_notification(work, mchid, found)
    return True


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
