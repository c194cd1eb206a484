"""WeChat Pay's own keys: the public key with its id, and, where a merchant still has them, platform certificates.

A merchant of the newer kind has the public key only; `/v3/certificates` then answers RESOURCE_NOT_EXISTS. With
`platform_certificates` set, the older way works too: the certificate holds a key of its own.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from flask import Response, g

from mock_wechat.entries import Merchant
from mock_wechat.errors import PayError, answer
from mock_wechat.ground import Ground
from mock_wechat.pay.signature import SCHEME, lines, make_nonce, seal, sign
from mock_wechat.times import rfc3339

YEARS_5 = timedelta(days=5 * 365)
NO_CERTIFICATE = "无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥"


class PlatformCertificates:
    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._made: dict[str, tuple[rsa.RSAPrivateKey, x509.Certificate]] = {}
        ground.mount("certificates", [("GET", "/v3/certificates", self.list)])

    def list(self) -> Response:
        if not self._ground.settings.platform_certificates:
            raise PayError(404, "RESOURCE_NOT_EXISTS", NO_CERTIFICATE)
        merchant: Merchant = g.merchant
        _, certificate = self._certificate(merchant.mchid)
        pem = certificate.public_bytes(Encoding.PEM).decode()
        entry = {
            "serial_no": serial_of(certificate),
            "effective_time": rfc3339(certificate.not_valid_before_utc),
            "expire_time": rfc3339(certificate.not_valid_after_utc),
            "encrypt_certificate": seal(merchant.apiv3_key, pem, "certificate"),
        }
        return answer({"data": [entry]})

    def _certificate(self, mchid: str) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
        """A merchant's platform certificate: made when first needed, another one after a restart."""
        with self._ground.lock:
            if mchid not in self._made:
                self._made[mchid] = make_certificate(mchid)
            return self._made[mchid]

    def signed_headers(self, merchant: Merchant, body: bytes, serial: str, spoiled: str = "") -> dict[str, str]:
        """The five headers under a body; `serial` is the key that the caller asked for.

        Without certificates the public key signs whatever was asked for.

        `spoiled`: "wrong" (another text), "signtest" (WeChat's own probe), "unknown_serial".
        """
        stamp, nonce = str(int(time.time())), make_nonce()
        key, shown = merchant.wechat_key, merchant.wechat_public_key_id
        if self._ground.settings.platform_certificates and not serial.startswith("PUB_KEY_ID_"):
            key, certificate = self._certificate(merchant.mchid)
            shown = serial_of(certificate)
        signature = sign(key, lines(stamp, nonce, body + b"?" if spoiled == "wrong" else body))
        if spoiled == "signtest":
            signature = "WECHATPAY/SIGNTEST/" + signature[19:]
        return {
            "Wechatpay-Timestamp": stamp,
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Signature": signature,
            "Wechatpay-Serial": "PUB_KEY_ID_" + "9" * 40 if spoiled == "unknown_serial" else shown,
            "Wechatpay-Signature-Type": SCHEME,
        }


def make_certificate(mchid: str) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    """A key with its self-signed certificate, of WeChat Pay for one merchant."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Mock Tenpay.com sign for {mchid}")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + YEARS_5)
    return key, builder.sign(key, SHA256())


def serial_of(certificate: x509.Certificate) -> str:
    return f"{certificate.serial_number:040X}"
