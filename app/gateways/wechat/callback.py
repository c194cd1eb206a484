"""WeChat's pushes to our callback server and our answers: signature, encryption in three modes, the XML inside.

wechatpy does the cryptography; around it stands what it leaves open: constant-time comparison, the age of a push, a
wrong padding, XML without entities, texts that would end their CDATA section. In plain mode nothing but the address is
signed, so only an account that agreed to plain mode is read without encryption. Source: WeChat developer documentation,
消息加解密 and 被动回复用户消息.
"""

from __future__ import annotations

import hmac
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha1
from typing import Protocol

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidAppIdException, InvalidSignatureException

MAX_SKEW_S = 600
MAX_BYTES = 256 * 1024
PLAIN = "plain"


class CallbackKey(Protocol):
    """What a public account agreed with WeChat for its callback server. `mode` is safe, compatible or plain."""

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
    """One message or event. `key` names it for de-duplication, because events have no MsgId; `sent_at_s` (epoch) is
    when WeChat made it, the same on every try. Whoever is answered is `openid`, in the name of `original_id`."""

    openid: str = field(repr=False)
    original_id: str
    kind: str
    event: str
    event_key: str
    msg_id: str
    status: str
    sent_at_s: int
    key: str = field(repr=False)


def is_signed(app: CallbackKey, query: Mapping[str, str], now_s: float) -> bool:
    """Whether the address of a request carries WeChat's signature, not older than MAX_SKEW_S."""
    stamp = query.get("timestamp", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12) or abs(now_s - int(stamp)) > MAX_SKEW_S:
        return False
    return _fits(app, query.get("signature", ""), stamp, query.get("nonce", ""))


def read_push(app: CallbackKey, query: Mapping[str, str], body: bytes, now_s: float) -> Push | None:
    """The push in `body`; None if it is not WeChat's, too old, not for this account, or not readable."""
    if len(body) > MAX_BYTES or not is_signed(app, query, now_s):
        return None
    try:
        found = _elements(body.decode())
        if app.mode != PLAIN:
            found = _elements(_decrypted(app, query, found["Encrypt"]))
        return _push(found)
    except (InvalidSignatureException, InvalidAppIdException, DefusedXmlException, ElementTree.ParseError):
        return None
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, struct.error):
        # wechatpy checks neither shape nor padding before it uses them.
        return None


def write_reply(app: CallbackKey, push: Push, text: str, now_s: float) -> str:
    """The passive reply: a text to whoever pushed, encrypted unless the account is in plain mode."""
    stamp = str(int(now_s))
    safe = text.replace("]]>", "]] >")
    xml = (
        f"<xml><ToUserName><![CDATA[{push.openid}]]></ToUserName>"
        f"<FromUserName><![CDATA[{push.original_id}]]></FromUserName><CreateTime>{stamp}</CreateTime>"
        f"<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{safe}]]></Content></xml>"
    )
    if app.mode == PLAIN:
        return xml
    nonce = sha1(push.key.encode() + stamp.encode()).hexdigest()[:16]  # noqa: S324 - a nonce, no secret
    return str(WeChatCrypto(app.token, app.aes_key, app.app_id).encrypt_message(xml, nonce, stamp))


def _decrypted(app: CallbackKey, query: Mapping[str, str], ciphertext: str) -> str:
    stamp, nonce, signature = query.get("timestamp", ""), query.get("nonce", ""), query.get("msg_signature", "")
    if not _fits(app, signature, stamp, nonce, ciphertext):
        raise InvalidSignatureException
    crypto = WeChatCrypto(app.token, app.aes_key, app.app_id)
    text = crypto.decrypt_message({"Encrypt": ciphertext}, signature, stamp, nonce)
    return text.decode() if isinstance(text, bytes) else str(text)


def _fits(app: CallbackKey, signature: str, *parts: str) -> bool:
    """SHA-1 over the sorted token and parts, as WeChat has it; compared in constant time."""
    text = "".join(sorted([app.token, *parts]))
    expected = sha1(text.encode()).hexdigest()  # noqa: S324 - WeChat's choice
    return hmac.compare_digest(expected.encode(), signature.encode())


def _elements(text: str) -> dict[str, str]:
    return {child.tag: (child.text or "").strip() for child in ElementTree.fromstring(text, forbid_dtd=True)}


def _push(found: Mapping[str, str]) -> Push | None:
    openid, kind, sent_at = found.get("FromUserName", ""), found.get("MsgType", ""), found.get("CreateTime", "")
    if not openid or not kind or not (sent_at.isascii() and sent_at.isdigit() and len(sent_at) <= 11):
        return None
    event, event_key = found.get("Event", ""), found.get("EventKey", "")
    msg_id = found.get("MsgID", "") or found.get("MsgId", "")
    return Push(
        openid=openid,
        original_id=found.get("ToUserName", ""),
        kind=kind,
        event=event,
        event_key=event_key,
        msg_id=msg_id,
        status=found.get("Status", ""),
        sent_at_s=int(sent_at),
        key=f"{openid}:{sent_at}:{kind}:{event}:{event_key}:{msg_id}",
    )
