"""The envelope of callback messages: signature, AES-256-CBC and XML.

Source: WeChat developer documentation, 消息加解密说明. The key is the 43-character EncodingAESKey plus "="; the plain
text is 16 random bytes, the message's length (uint32, big-endian), the message and the app id, padded to 32 bytes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import struct
from typing import Any

import xmltodict  # type: ignore[import-untyped]
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

BLOCK_BITS = 256


def signature(*parts: str) -> str:
    """SHA-1 over the sorted parts: of token, timestamp, nonce, and of the ciphertext in a msg_signature."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def encrypt(text: str, aes_key: str, app_id: str) -> str:
    message = text.encode()
    plain = secrets.token_bytes(16) + struct.pack(">I", len(message)) + message + app_id.encode()
    padder = PKCS7(BLOCK_BITS).padder()
    encryptor = _cipher(aes_key).encryptor()
    padded = padder.update(plain) + padder.finalize()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def decrypt(ciphertext: str, aes_key: str, app_id: str) -> str:
    """The message inside; ValueError if the padding, the length or the app id at its end is wrong."""
    decryptor = _cipher(aes_key).decryptor()
    padded = decryptor.update(base64.b64decode(ciphertext)) + decryptor.finalize()
    unpadder = PKCS7(BLOCK_BITS).unpadder()
    plain = unpadder.update(padded) + unpadder.finalize()
    (length,) = struct.unpack(">I", plain[16:20])
    if plain[20 + length :].decode() != app_id:
        raise ValueError("the message is for another app")
    return plain[20 : 20 + length].decode()


def _cipher(aes_key: str) -> Cipher[modes.CBC]:
    key = base64.b64decode(aes_key + "=")
    return Cipher(algorithms.AES(key), modes.CBC(key[:16]))


def write_xml(fields: dict[str, Any]) -> str:
    """A flat message: numbers bare, texts in CDATA; a list becomes repeated elements of its parent."""
    return "<xml>" + "".join(_element(name, value) for name, value in fields.items()) + "</xml>"


def _element(name: str, value: Any) -> str:
    if isinstance(value, int):
        return f"<{name}>{value}</{name}>"
    if isinstance(value, dict):
        return f"<{name}>" + "".join(_element(k, v) for k, v in value.items()) + f"</{name}>"
    if isinstance(value, list):
        return "".join(_element(name, item) for item in value)
    text = str(value).replace("]]>", "]]]]><![CDATA[>")
    return f"<{name}><![CDATA[{text}]]></{name}>"


def read_xml(text: str) -> dict[str, Any]:
    """The elements of a flat message; ValueError if it is not one."""
    try:
        root = xmltodict.parse(text)["xml"]
    except Exception as error:
        raise ValueError("not a message") from error
    if not isinstance(root, dict):
        raise ValueError("not a message")
    return root


def open_reply(text: str, aes_key: str, token: str, app_id: str) -> dict[str, Any]:
    """A passive reply, decrypted if it is; ValueError if its signature or content is wrong."""
    reply = read_xml(text)
    if "Encrypt" not in reply:
        return reply
    expected = signature(token, str(reply["TimeStamp"]), str(reply["Nonce"]), reply["Encrypt"])
    if not hmac.compare_digest(expected, str(reply.get("MsgSignature", ""))):
        raise ValueError("wrong signature")
    return read_xml(decrypt(reply["Encrypt"], aes_key, app_id))
