"""Who may call Pay v3, and the signature under what it answers.

Every request's Authorization is verified over the bytes that came; every 2xx answer is signed, 4xx and 5xx are not,
nor are file downloads. Signatures count in real time, not in the double's virtual time: the caller has no other.
"""

from __future__ import annotations

import re
import time
from typing import Any

from flask import Response, g, request

from mock_wechat.entries import Merchant
from mock_wechat.errors import PayError, answer
from mock_wechat.ground import Ground
from mock_wechat.pay.certificates import PlatformCertificates
from mock_wechat.pay.signature import SCHEME, lines, make_nonce, verify

SKEW_S = 300
DOWNLOAD = "/v3/billdownload/"
ORDERS = "/v3/pay/transactions/"
PARAM = re.compile(r'([a-z_]+)="([^"]*)"')
NAMES = {"mchid", "nonce_str", "signature", "timestamp", "serial_no"}

BAD_FORMAT = "Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》"
BAD_ORDER_SIGNATURE = "签名信息错误，验签失败"
BAD_SIGNATURE = "签名错误"
BAD_TIME = "Http头Authorization中的timestamp与发起请求的时间不得超过5分钟"
BAD_SERIAL = "商户证书序列号有误。请使用签名私钥匹配的证书序列号"
NO_AGENT = "Http头缺少Accept或User-Agent"


class Gate:
    def __init__(self, ground: Ground, certificates: PlatformCertificates) -> None:
        self._ground, self._certificates = ground, certificates
        self._nonces: dict[tuple[str, str], float] = {}
        self.spoil: list[dict[str, Any]] = []
        ground.flask.before_request(self._check)
        ground.flask.after_request(self._sign)

    def _check(self) -> Response | None:
        if not request.path.startswith("/v3/") or request.routing_exception is not None:
            return None
        if not request.path.startswith(ORDERS) and not (request.user_agent.string and request.headers.get("Accept")):
            return answer(PayError(400, "INVALID_REQUEST", NO_AGENT).body, 400)
        try:
            g.merchant = self._authenticate()
        except PayError as error:
            return answer(error.body, error.status)
        return None

    def _authenticate(self) -> Merchant:
        values = self._read_authorization()
        stamp = int(values["timestamp"])
        if abs(time.time() - stamp) > SKEW_S:
            raise PayError(401, "SIGN_ERROR", BAD_TIME)
        merchant = self._ground.merchants.get(values["mchid"])
        if merchant is None or merchant.serial_no != values["serial_no"]:
            raise PayError(401, "SIGN_ERROR", BAD_SERIAL)
        text = lines(request.method, _sent_uri(), values["timestamp"], values["nonce_str"], request.get_data())
        if not verify(merchant.merchant_key, text, values["signature"]):
            raise PayError(401, "SIGN_ERROR", BAD_SIGNATURE)
        if self._ground.settings.refuse_replayed_nonce and not self._first_use(merchant.mchid, values["nonce_str"]):
            raise PayError(401, "SIGN_ERROR", BAD_SIGNATURE)
        return merchant

    def _read_authorization(self) -> dict[str, str]:
        scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
        values = dict(PARAM.findall(rest))
        if scheme != SCHEME or set(values) != NAMES or not values["timestamp"].isdigit():
            message = BAD_ORDER_SIGNATURE if request.path.startswith(ORDERS) else BAD_FORMAT
            raise PayError(401, "SIGN_ERROR", message)
        return values

    def _first_use(self, mchid: str, nonce: str) -> bool:
        now = time.time()
        with self._ground.lock:
            if len(self._nonces) > 100_000:
                self._nonces = {key: at for key, at in self._nonces.items() if now - at <= 2 * SKEW_S}
            return self._nonces.setdefault((mchid, nonce), now) == now

    def _sign(self, response: Response) -> Response:
        if not request.path.startswith("/v3/"):
            return response
        if not (response.status_code == 401 and request.path.startswith(ORDERS)):
            response.headers["Request-ID"] = make_nonce()
        merchant: Merchant | None = g.get("merchant")
        if merchant is None or response.status_code // 100 != 2 or request.path.startswith(DOWNLOAD):
            return response
        asked = request.headers.get("Wechatpay-Serial", "")
        response.headers.extend(
            self._certificates.signed_headers(merchant, response.get_data(), asked, self._spoiled(request.path))
        )
        return response

    def _spoiled(self, path: str) -> str:
        """The scripted misbehaviour for the signature of this answer: "", "wrong", "signtest", "unknown_serial"."""
        with self._ground.lock:
            for fault in self.spoil:
                if fault["times"] != 0 and fault["path"] in path:
                    fault["times"] -= 1 if fault["times"] > 0 else 0
                    return str(fault["signature"])
        return ""


def _sent_uri() -> str:
    """Path and query as they stood on the wire: `%7C` stays `%7C`."""
    return str(request.environ.get("RAW_URI") or request.full_path)
