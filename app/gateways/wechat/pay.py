"""WeChat Pay v3 by wechatpayv3 in public-key mode, with what that library leaves open closed here: timeouts, typed
errors, the age of a notification's timestamp, notifications that do not verify (also the deliberate SIGNTEST ones).

A fault is `unknown` whenever the request may have been taken: then the caller asks by its own number before anything is
sent again. Source: WeChat Pay merchant documentation, v3 (JSAPI order, refund, merchant transfer in user-confirm mode).
"""

from __future__ import annotations

import gzip
import hashlib
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

import requests
from wechatpayv3 import SignType, WeChatPay, WeChatPayType

from app.core.errors import NOT_REACHED, PartnerFault
from app.core.strict_json import read_json

PARTNER = "wechat_pay"
MAX_SKEW_S = 300
# "No such order, refund or transfer"; the documents disagree on the word.
UNKNOWN_NUMBER = frozenset({"NOT_FOUND", "RESOURCE_NOT_EXISTS", "ORDER_NOT_EXIST", "ORDERNOTEXIST"})
CLAIM_SCENE = "1004"  # 保险理赔
# From here on WeChat checks the payee's name; below the first limit the name must not be sent at all.
NAME_ALLOWED_FROM_FEN, NAME_NEEDED_FROM_FEN = 30, 200_000


class MerchantKey(Protocol):
    """One merchant number with its keys."""

    @property
    def mchid(self) -> str: ...
    @property
    def serial_no(self) -> str: ...
    @property
    def private_key_pem(self) -> str: ...
    @property
    def apiv3_key(self) -> str: ...
    @property
    def wechat_public_key_id(self) -> str: ...
    @property
    def wechat_public_key_pem(self) -> str: ...


@dataclass(frozen=True)
class Order:
    """A JSAPI order. `out_trade_no` is ours, 6 to 32 letters and digits, and never changes on a retry."""

    app_id: str
    openid: str = field(repr=False)
    out_trade_no: str
    description: str
    amount_fen: int
    notify_url: str
    time_expire: str


@dataclass(frozen=True)
class Refund:
    out_refund_no: str
    out_trade_no: str
    amount_fen: int
    total_fen: int
    reason: str
    notify_url: str


@dataclass(frozen=True)
class Transfer:
    """A payout to a user's balance, confirmed by the user. The three report items are demanded for scene 1004."""

    app_id: str
    openid: str = field(repr=False)
    out_bill_no: str
    amount_fen: int
    user_name: str = field(repr=False)
    product_filing_no: str
    product_name: str
    operation_no: str
    notify_url: str


@dataclass
class Pay:
    """One client for all merchants; each call names whose keys it uses."""

    url: str
    timeout_s: float
    _clients: dict[tuple[str, str], WeChatPay] = field(default_factory=dict, repr=False)

    def order(self, merchant: MerchantKey, order: Order) -> str:
        """Place an order, or the same one again: the prepay id, good for two hours."""
        client = self._client(merchant)
        body = _ask(
            lambda: client.pay(
                description=order.description,
                out_trade_no=order.out_trade_no,
                amount={"total": order.amount_fen, "currency": "CNY"},
                payer={"openid": order.openid},
                time_expire=order.time_expire,
                appid=order.app_id,
                mchid=merchant.mchid,
                notify_url=order.notify_url,
                pay_type=WeChatPayType.JSAPI,
            )
        )
        return str(body["prepay_id"])

    def jsapi(self, merchant: MerchantKey, app_id: str, prepay_id: str) -> dict[str, str]:
        """What the page hands to WeixinJSBridge or wx.requestPayment; `ok` there proves nothing."""
        stamp, nonce, package = str(int(time.time())), prepay_id[-16:], f"prepay_id={prepay_id}"
        signature = self._client(merchant).sign([app_id, stamp, nonce, package], SignType.RSA_SHA256)
        return {
            "appId": app_id,
            "timeStamp": stamp,
            "nonceStr": nonce,
            "package": package,
            "signType": "RSA",
            "paySign": signature,
        }

    def query(self, merchant: MerchantKey, out_trade_no: str) -> dict[str, Any] | None:
        """The order as WeChat sees it (`trade_state`, `transaction_id`, `amount`); None if it knows no such number."""
        client = self._client(merchant)
        return _find(lambda: client.query(out_trade_no=out_trade_no, mchid=merchant.mchid))

    def close(self, merchant: MerchantKey, out_trade_no: str) -> None:
        client = self._client(merchant)
        _ask(lambda: client.close(out_trade_no=out_trade_no, mchid=merchant.mchid))

    def refund(self, merchant: MerchantKey, refund: Refund) -> dict[str, Any]:
        """Ask for a refund. 200 only means accepted: `status` PROCESSING, SUCCESS, CLOSED, ABNORMAL."""
        client = self._client(merchant)
        return _ask(
            lambda: client.refund(
                out_refund_no=refund.out_refund_no,
                out_trade_no=refund.out_trade_no,
                amount={"refund": refund.amount_fen, "total": refund.total_fen, "currency": "CNY"},
                reason=refund.reason,
                notify_url=refund.notify_url,
            )
        )

    def query_refund(self, merchant: MerchantKey, out_refund_no: str) -> dict[str, Any] | None:
        client = self._client(merchant)
        return _find(lambda: client.query_refund(out_refund_no=out_refund_no))

    def transfer(self, merchant: MerchantKey, transfer: Transfer) -> dict[str, Any]:
        """Start a transfer, or the same one again: `state`, and `package_info` while the user has to confirm."""
        client = self._client(merchant)
        named = transfer.amount_fen >= NAME_ALLOWED_FROM_FEN
        return _ask(
            lambda: client.mch_transfer_bills(
                out_bill_no=transfer.out_bill_no,
                transfer_scene_id=CLAIM_SCENE,
                openid=transfer.openid,
                transfer_amount=transfer.amount_fen,
                transfer_remark="保险理赔款",
                user_name=transfer.user_name if named else None,
                user_recv_perception="保险理赔款",
                transfer_scene_report_infos=[
                    {"info_type": "保险产品备案编号", "info_content": transfer.product_filing_no[:32]},
                    {"info_type": "保险名称", "info_content": transfer.product_name[:32]},
                    {"info_type": "保险操作单号", "info_content": transfer.operation_no[:32]},
                ],
                appid=transfer.app_id,
                notify_url=transfer.notify_url,
            )
        )

    def query_transfer(self, merchant: MerchantKey, out_bill_no: str) -> dict[str, Any] | None:
        client = self._client(merchant)
        return _find(lambda: client.mch_transfer_bills_query(out_bill_no=out_bill_no))

    def cancel_transfer(self, merchant: MerchantKey, out_bill_no: str) -> dict[str, Any]:
        """Only before the user has confirmed; SUCCESS may still win the race, so the state is asked for afterwards."""
        client = self._client(merchant)
        return _ask(lambda: client.mch_transfer_bills_cancel(out_bill_no=out_bill_no))

    def bill(self, merchant: MerchantKey, day: date, kind: str) -> bytes | None:
        """A merchant's bill of a past day, unpacked: `trade`, or the fund flow of its account `basic` or `operation`.
        None where nothing happened; PartnerFault `bill_not_ready` before it is made, `bill_hash` where it is damaged.
        """
        client = self._client(merchant)
        on = day.isoformat()
        try:
            if kind == "trade":
                offer = _ask(lambda: client.trade_bill(on))
            else:
                offer = _ask(lambda: client.fundflow_bill(on, kind.upper()))
        except PartnerFault as fault:
            if fault.code == "NO_STATEMENT_EXIST":
                return None
            if fault.code == "STATEMENT_CREATING":
                raise PartnerFault(PARTNER, "bill_not_ready") from fault
            raise
        status, content = _send(lambda: client.download_bill(str(offer.get("download_url"))))
        if status != 200:
            raise PartnerFault(PARTNER, f"http_{status}")
        return _unpacked(content if isinstance(content, bytes) else str(content).encode(), str(offer.get("hash_value")))

    def read_notification(
        self, merchant: MerchantKey, headers: Mapping[str, str], body: bytes, now_s: float
    ) -> dict[str, Any] | None:
        """A notification with its decrypted `resource`; None if it is too old, forged, or cannot be read."""
        marks = {name: headers.get(f"Wechatpay-{name}", "") for name in ("Timestamp", "Nonce", "Signature", "Serial")}
        stamp = marks["Timestamp"]
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12) or abs(now_s - int(stamp)) > MAX_SKEW_S:
            return None
        if marks["Serial"] != merchant.wechat_public_key_id:
            return None
        named = {f"Wechatpay-{name}": value for name, value in marks.items()}
        named["Wechatpay-Signature-Type"] = headers.get("Wechatpay-Signature-Type", "WECHATPAY2-SHA256-RSA2048")
        try:
            read = self._client(merchant).callback(named, body)
        except Exception:  # the library raises bare Exception for whatever it cannot verify or decrypt
            return None
        return read if isinstance(read, dict) else None

    def _client(self, merchant: MerchantKey) -> WeChatPay:
        """In public-key mode the constructor does no network."""
        key = (merchant.mchid, merchant.serial_no)
        if key not in self._clients:
            client = WeChatPay(
                wechatpay_type=WeChatPayType.JSAPI,
                mchid=merchant.mchid,
                private_key=merchant.private_key_pem,
                cert_serial_no=merchant.serial_no,
                appid="",
                apiv3_key=merchant.apiv3_key,
                timeout=(min(3.0, self.timeout_s), self.timeout_s),
                public_key=merchant.wechat_public_key_pem,
                public_key_id=merchant.wechat_public_key_id,
            )
            client._core._gate_way = self.url  # the library has no setting for its host
            self._clients[key] = client
        return self._clients[key]


def _ask(call: Callable[[], tuple[int, Any]]) -> dict[str, Any]:
    """The body of a 2xx answer whose signature verified."""
    status, text = _send(call)
    if 200 <= status < 300:
        return _json(text)
    code = str(_json(text).get("code", "")) or f"http_{status}"
    if status == 429 or status >= 500:
        raise PartnerFault(PARTNER, code, unknown=True)
    raise PartnerFault(PARTNER, code, permanent=True)


def _find(call: Callable[[], tuple[int, Any]]) -> dict[str, Any] | None:
    """As `_ask` for a query: None where WeChat says that it has no such number (another 404 says nothing). Any fault is
    temporary: nothing was to be done."""
    status, text = _send(call)
    if 200 <= status < 300:
        return _json(text)
    code = str(_json(text).get("code", ""))
    if status == 404 and code in UNKNOWN_NUMBER:
        return None
    raise PartnerFault(PARTNER, code or f"http_{status}")


def _send(call: Callable[[], tuple[int, Any]]) -> tuple[int, Any]:
    try:
        return call()
    except requests.ConnectTimeout as error:
        raise PartnerFault(PARTNER, NOT_REACHED) from error
    except requests.RequestException as error:
        raise PartnerFault(PARTNER, type(error).__name__, unknown=True) from error
    except Exception as error:  # the library: "failed to verify the signature", after the work was done
        raise PartnerFault(PARTNER, "answer_not_verified", unknown=True) from error


def _unpacked(content: bytes, sha1: str) -> bytes:
    """The file inside, if its hash is right. The documents do not say over which of the two the hash goes."""
    try:
        plain = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
    except (OSError, EOFError, zlib.error) as error:
        raise PartnerFault(PARTNER, "bill_hash") from error
    if sha1.lower() not in (hashlib.sha1(one, usedforsecurity=False).hexdigest() for one in (plain, content)):
        raise PartnerFault(PARTNER, "bill_hash")
    return plain


def _json(text: str | bytes) -> dict[str, Any]:
    try:
        body = read_json(text) if text else {}
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
