"""The signatures of Pay v3: RSA with SHA-256 over lines of text, and the sealed fields and resources.

Source: WeChat Pay merchant documentation, 签名生成, 签名验证, 证书和回调报文解密, 敏感信息加解密.
"""

from __future__ import annotations

import base64
import binascii
import secrets
import string

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

SCHEME = "WECHATPAY2-SHA256-RSA2048"
ALPHABET = string.ascii_letters + string.digits


def lines(*parts: str | bytes) -> bytes:
    """The text to sign: each part followed by a line feed."""
    return b"".join((part.encode() if isinstance(part, str) else part) + b"\n" for part in parts)


def sign(key: RSAPrivateKey, text: bytes) -> str:
    return base64.b64encode(key.sign(text, PKCS1v15(), SHA256())).decode()


def verify(key: RSAPublicKey, text: bytes, signature: str) -> bool:
    try:
        key.verify(base64.b64decode(signature, validate=True), text, PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def seal(apiv3_key: str, text: str, associated_data: str) -> dict[str, str]:
    """AEAD_AES_256_GCM as a notification's `resource` shows it."""
    nonce = make_nonce(12)
    sealed = AESGCM(apiv3_key.encode()).encrypt(nonce.encode(), text.encode(), associated_data.encode())
    return {
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": base64.b64encode(sealed).decode(),
        "associated_data": associated_data,
        "nonce": nonce,
    }


def open_field(key: RSAPrivateKey, ciphertext: str) -> str:
    """A sensitive request field (RSA-OAEP with SHA-1); ValueError if it was not sealed for this key."""
    try:
        plain = key.decrypt(base64.b64decode(ciphertext, validate=True), _oaep())
        return plain.decode()
    except ValueError as error:
        raise ValueError("not sealed for this key") from error


def seal_field(key: RSAPublicKey, text: str) -> str:
    return base64.b64encode(key.encrypt(text.encode(), _oaep())).decode()


def make_nonce(length: int = 32) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def _oaep() -> OAEP:
    # The protocol says SHA-1; in OAEP that is no weakness.
    sha1 = SHA1()  # noqa: S303
    return OAEP(mgf=MGF1(sha1), algorithm=sha1, label=None)
