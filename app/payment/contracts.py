from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from app.core.paging import PageView
from app.payment.states import OrderState, RefundState


class JsapiView(BaseModel):
    """Handed to WeixinJSBridge (H5) or wx.requestPayment (mini-program) as it is."""

    appId: str  # noqa: N815 - WeChat's own names
    timeStamp: str  # noqa: N815
    nonceStr: str  # noqa: N815
    package: str
    signType: str  # noqa: N815
    paySign: str  # noqa: N815


class GivenBackView(BaseModel):
    """What has become of money that goes back. `pending` until WeChat Pay has given it back, `failed` where it cannot
    and the hospital has to help; `refunded_fen` is what has arrived."""

    refund: Literal["none", "pending", "refunded", "failed"]
    refunded_fen: int


class PaymentView(GivenBackView):
    """`jsapi` once the order can be paid (`prepaid`). An order that was paid stays `paid` when it is refunded."""

    id: UUID
    purpose: str
    status: OrderState
    amount_fen: int
    description: str
    expires_at: datetime
    jsapi: JsapiView | None


class RefundView(BaseModel):
    """A refund that WeChat Pay cannot bring to the patient, with our numbers at the hospital's merchant number."""

    id: UUID
    hospital_id: UUID
    status: RefundState
    status_since: datetime
    amount_fen: int
    out_trade_no: str
    out_refund_no: str
    refused_code: str | None


class RefundPage(PageView):
    items: list[RefundView]


class RefundLook(BaseModel):
    id: UUID
    status: RefundState
