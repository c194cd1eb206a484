"""WeChat's pushes to our callback server: signature, decryption in three modes, and the XML that is inside.

wechatpy does the cryptography; around it stands what it leaves open: constant-time comparison, a wrong padding, XML
without entities. Source: WeChat developer documentation, message encryption (消息加解密).
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from hashlib import sha1
from typing import Protocol

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidAppIdException, InvalidSignatureException

MAX_SKEW_S = 600


class CallbackKey(Protocol):
    """What a public account agreed with WeChat for its callback server."""

    @property
    def app_id(self) -> str: ...
    @property
    def token(self) -> str: ...
    @property
    def aes_key(self) -> str: ...
    @property
    def mode(self) -> str: ...


@dataclass(frozen=True)
class Push:
    """One message or event. `key` names it for de-duplication; events have no MsgId."""

    openid: str
    kind: str
    event: str
    event_key: str
    msg_id: str
    status: str
    key: str


def is_signed(app: CallbackKey, signature: str, *parts: str) -> bool:
    """SHA-1 over the sorted token and parts, as WeChat has it; compared in constant time."""
    text = "".join(sorted([app.token, *parts]))
    return hmac.compare_digest(sha1(text.encode()).hexdigest(), signature)  # noqa: S324 - WeChat's choice


def read_push(app: CallbackKey, query: dict[str, str], body: bytes) -> Push | None:
    """The push in `body`; None if it is not WeChat's, not for this account, or not readable."""
    stamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
    if not is_signed(app, query.get("signature", ""), stamp, nonce):
        return None
    try:
        text = body.decode()
        if query.get("encrypt_type") == "aes" or app.mode == "safe":
            crypto = WeChatCrypto(app.token, app.aes_key, app.app_id)
            text = crypto.decrypt_message(text, query.get("msg_signature", ""), stamp, nonce)
            text = text.decode() if isinstance(text, bytes) else text
        return _push(text)
    except (InvalidSignatureException, InvalidAppIdException, DefusedXmlException, ElementTree.ParseError):
        return None
    except (ValueError, TypeError, KeyError, AttributeError):
        # wechatpy checks neither shape nor padding before it uses them.
        return None


def _push(text: str) -> Push | None:
    root = ElementTree.fromstring(text)
    found = {child.tag: (child.text or "").strip() for child in root}
    openid, kind = found.get("FromUserName", ""), found.get("MsgType", "")
    if not openid or not kind:
        return None
    event = found.get("Event", "")
    msg_id = found.get("MsgID", "") or found.get("MsgId", "")
    key = f"{openid}:{found.get('CreateTime', '')}:{kind}:{event}:{found.get('EventKey', '')}:{msg_id}"
    return Push(openid, kind, event, found.get("EventKey", ""), msg_id, found.get("Status", ""), key)
