"""The patient's open payment, refunds that an operator has to help with, and WeChat Pay's notifications."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response, jsonify, request
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.core.paging import PageQuery
from app.core.work import Work
from app.identity import service as identity
from app.payment import calls, queries, service
from app.payment import contracts as c
from app.payment.states import OrderState
from app.web.routes import callback, command, door, question, refuses
from app.web.site import ACCOUNT, OPERATOR, Caller, gateways, request_id, runtime

if TYPE_CHECKING:
    from app.payment.models import PaymentOrder, Refund

bp = APIBlueprint("payment", __name__, url_prefix="/api/v1", tag="支付")
operator_bp = APIBlueprint("payment_operator", __name__, url_prefix="/api/v1/operator", tag="退款")
FINANCE = door(OPERATOR, roles=("finance",))
notify_bp = APIBlueprint("pay_notify", __name__, url_prefix="/wechat/pay", enable_openapi=False)


@question(bp, "/payments/<uuid:payment_id>", door(ACCOUNT), out=c.PaymentView)
def read_payment(session: Session, caller: Caller, payment_id: UUID) -> c.PaymentView:
    """一笔费用；可支付时带有调起支付的参数，退款时说明退款进度"""
    row = queries.order_of(session, caller.id, payment_id)
    if row is None:
        raise NotFound
    back = queries.given_back(session, [row.id])[row.id]
    return c.PaymentView(
        id=row.id,
        purpose=row.purpose,
        status=row.status,
        amount_fen=row.amount_fen,
        description=row.description,
        expires_at=row.expires_at,
        jsapi=_jsapi(session, row),
        **back._asdict(),
    )


def _jsapi(session: Session, row: PaymentOrder) -> c.JsapiView | None:
    if row.status != OrderState.PREPAID or row.prepay_id is None:
        return None
    merchant = identity.merchant_credentials(session, runtime().privacy, party_id=row.hospital_id)
    app_id, _ = identity.payment_identity(session, row.account_id)
    return c.JsapiView(**gateways().pay.jsapi(merchant, app_id, row.prepay_id))


@question(operator_bp, "/refunds/abnormal", FINANCE, out=c.RefundPage, query=PageQuery)
def list_abnormal_refunds(session: Session, caller: Caller, query: PageQuery) -> c.RefundPage:
    """微信支付未能退到用户账户、需要人工处理的退款"""
    rows, cursor = queries.abnormal_refunds(session, caller.party_id, query)
    return c.RefundPage(items=[_refund(row, order) for row, order in rows], next_cursor=cursor)


@command(operator_bp, "/refunds/<uuid:refund_id>/look", FINANCE, out=c.RefundLook)
@refuses({409: ("refund_not_abnormal",)})
def look_at_refund(work: Work, caller: Caller, refund_id: UUID) -> c.RefundLook:
    """在商户平台处理异常退款后，重新查询结果"""
    row = service.look_again(work, refund_id, caller.party_id)
    return c.RefundLook(id=row.id, status=row.status)


def _refund(row: Refund, order: PaymentOrder) -> c.RefundView:
    return c.RefundView(
        id=row.id,
        hospital_id=order.hospital_id,
        status=row.status,
        status_since=row.status_since,
        amount_fen=row.amount_fen,
        out_trade_no=order.out_trade_no,
        out_refund_no=row.out_refund_no,
        refused_code=row.refused_code,
    )


@callback(notify_bp, "/<mchid>")
def notified(mchid: str) -> Response:
    """WeChat Pay tells of a payment, a refund or a transfer: verified over the raw bytes, kept once, applied later.

    204 within its five seconds; 4xx makes it come again, which is what a forged or unreadable one may do for ever.
    """
    headers, body = dict(request.headers), request.get_data()
    if calls.take_notification(runtime(), gateways(), mchid, headers, body, request_id()):
        return Response(status=204)
    response = jsonify(code="FAIL", message="签名验证失败")
    response.status_code = 401
    return response
