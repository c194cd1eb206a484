"""The patient's open payment, and WeChat Pay's notifications."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response, jsonify, request
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.identity import service as identity
from app.payment import calls, queries
from app.payment import contracts as c
from app.payment.states import OrderState
from app.web.routes import callback, door, question
from app.web.site import ACCOUNT, Caller, gateways, request_id, runtime

if TYPE_CHECKING:
    from app.payment.models import PaymentOrder

bp = APIBlueprint("payment", __name__, url_prefix="/api/v1", tag="支付")
notify_bp = APIBlueprint("pay_notify", __name__, url_prefix="/wechat/pay", enable_openapi=False)


@question(bp, "/payments/<uuid:payment_id>", door(ACCOUNT), out=c.PaymentView)
def read_payment(session: Session, caller: Caller, payment_id: UUID) -> c.PaymentView:
    """一笔待支付的费用；可支付时带有调起支付的参数"""
    row = queries.order_of(session, caller.id, payment_id)
    if row is None:
        raise NotFound
    return c.PaymentView(
        id=row.id,
        purpose=row.purpose,
        status=row.status,
        amount_fen=row.amount_fen,
        description=row.description,
        expires_at=row.expires_at,
        jsapi=_jsapi(session, row),
    )


def _jsapi(session: Session, row: PaymentOrder) -> c.JsapiView | None:
    if row.status != OrderState.PREPAID or row.prepay_id is None:
        return None
    merchant = identity.merchant_credentials(session, runtime().privacy, party_id=row.hospital_id)
    app_id, _ = identity.payment_identity(session, row.account_id)
    return c.JsapiView(**gateways().pay.jsapi(merchant, app_id, row.prepay_id))


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
