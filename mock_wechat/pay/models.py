"""What Pay v3 accepts, field by field; anything else is a PARAM_ERROR that names the field."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypeVar

from flask import request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from mock_wechat.errors import PayError

OutTradeNo = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_\-|*]{6,32}$")]
OutRefundNo = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_\-|*@]{1,64}$")]
OutBillNo = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{1,32}$")]
NotifyUrl = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Text = Annotated[str, StringConstraints(min_length=1)]
Fen = Annotated[int, Field(strict=True, ge=1, le=10**12)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class OrderAmount(Strict):
    total: Fen
    currency: str = Field(default="CNY", pattern="^CNY$")


class Payer(Strict):
    openid: Annotated[str, StringConstraints(min_length=1, max_length=128)]


class JsapiOrder(Strict):
    appid: Annotated[str, StringConstraints(min_length=1, max_length=32)]
    mchid: Annotated[str, StringConstraints(min_length=1, max_length=32)]
    description: Annotated[str, StringConstraints(min_length=1, max_length=127)]
    out_trade_no: OutTradeNo
    notify_url: NotifyUrl
    amount: OrderAmount
    payer: Payer
    time_expire: datetime | None = None
    attach: Annotated[str, StringConstraints(max_length=128)] = ""
    goods_tag: Annotated[str, StringConstraints(max_length=32)] = ""
    support_fapiao: bool = False
    detail: dict[str, Any] | None = None
    scene_info: dict[str, Any] | None = None
    settle_info: dict[str, Any] | None = None


class CloseOrder(Strict):
    mchid: Text


class RefundAmount(Strict):
    refund: Fen
    total: Fen
    currency: str = Field(pattern="^CNY$")
    from_: list[dict[str, Any]] | None = Field(default=None, alias="from")


class RefundOrder(Strict):
    transaction_id: Annotated[str, StringConstraints(max_length=32)] = ""
    out_trade_no: Annotated[str, StringConstraints(max_length=32)] = ""
    out_refund_no: OutRefundNo
    reason: Annotated[str, StringConstraints(max_length=80)] = ""
    notify_url: Annotated[str, StringConstraints(max_length=256)] = ""
    funds_account: str = ""
    amount: RefundAmount
    goods_detail: list[dict[str, Any]] | None = None


class AbnormalRefund(Strict):
    out_refund_no: OutRefundNo
    type: str = Field(pattern="^(USER_BANK_CARD|MERCHANT_BANK_CARD)$")
    bank_type: str = ""
    bank_account: str = ""
    real_name: str = ""


class ReportInfo(Strict):
    info_type: Annotated[str, StringConstraints(min_length=1, max_length=15)]
    info_content: Annotated[str, StringConstraints(min_length=1, max_length=32)]


class TransferBill(Strict):
    appid: Annotated[str, StringConstraints(min_length=1, max_length=32)]
    out_bill_no: OutBillNo
    transfer_scene_id: Annotated[str, StringConstraints(min_length=1, max_length=36)]
    openid: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    user_name: Annotated[str, StringConstraints(min_length=1)] | None = None
    transfer_amount: Fen
    transfer_remark: Annotated[str, StringConstraints(min_length=1, max_length=32)]
    notify_url: Annotated[str, StringConstraints(max_length=256)] | None = None
    user_recv_perception: str | None = None
    user_recv_style: dict[str, Any] | None = None
    transfer_scene_report_infos: list[ReportInfo] = Field(default_factory=list)


M = TypeVar("M", bound=BaseModel)


def read(model: type[M]) -> M:
    """The request's body as `model`; the first wrong field as a PARAM_ERROR with its JSON pointer."""
    try:
        return model.model_validate_json(request.get_data() or b"null")
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        pointer = "/" + "/".join(str(part) for part in first["loc"])
        raise param_error(pointer, first["input"], first["msg"]) from None


def param_error(pointer: str, value: Any, issue: str, message: str = "输入源映射到字段的校验规则失败") -> PayError:
    shown = value if isinstance(value, (str, int)) else ""
    return PayError(400, "PARAM_ERROR", message, {"field": pointer, "value": shown, "issue": issue, "location": "body"})


def check_notify_url(url: str, *, lenient: bool) -> None:
    """https without a query string; a lenient double also takes http, for receivers on the same machine."""
    allowed = ("https://", "http://") if lenient else ("https://",)
    if not url.startswith(allowed) or "?" in url:
        raise param_error("/notify_url", url, "notify_url must be https and have no query", "notify_url 不合法")
