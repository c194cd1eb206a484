"""WeChat's pushes: read only if WeChat made them, just now, for this account, in the account's own mode."""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.gateways.wechat.callback import MAX_SKEW_S, Push, is_signed, read_push, write_reply
from mock_wechat.account.envelope import encrypt, open_reply, signature, write_xml

MODES = ("safe", "compatible", "plain")
NOW = 1_700_000_000.0
EVENT = {
    "ToUserName": "gh_1",
    "FromUserName": "o-user",
    "CreateTime": 1_699_999_999,
    "MsgType": "event",
    "Event": "CLICK",
    "EventKey": "claim",
}
BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><xml><FromUserName>&b;</FromUserName></xml>'


@dataclass(frozen=True)
class Account:
    app_id: str = "wx0123456789abcdef"
    token: str = "token"
    aes_key: str = base64.b64encode(bytes(range(32))).decode()[:43]
    mode: str = "safe"


def pushed(app: Account, content: str, *, at: float = NOW, **wrong: Any) -> tuple[dict[str, str], bytes]:
    """A push as WeChat makes it in the account's mode; keywords spoil a piece of it."""
    stamp, nonce, token = str(int(at)), "nonce", wrong.get("token", app.token)
    query = {"signature": signature(token, stamp, nonce), "timestamp": stamp, "nonce": nonce}
    if app.mode == "plain":
        return query, content.encode()
    sealed = wrong.get("sealed") or encrypt(content, wrong.get("aes_key", app.aes_key), wrong.get("app_id", app.app_id))
    query |= {"encrypt_type": "aes", "msg_signature": signature(token, stamp, nonce, sealed)}
    shown = EVENT if app.mode == "compatible" else {"ToUserName": "gh_1"}
    return query, write_xml({**shown, "Encrypt": sealed}).encode()


def test_the_signature_is_wechats() -> None:
    """A vector: SHA-1 over the sorted token, timestamp and nonce."""
    query = {
        "timestamp": "1700000000",
        "nonce": "nonce123",
        "signature": "a0bd0d8193410a39391e932a28caaaa9b0d8c428",
    }
    assert is_signed(Account(), query, NOW)
    for name in query:
        assert not is_signed(Account(), query | {name: "1700000001"}, NOW)
        assert not is_signed(Account(), {n: v for n, v in query.items() if n != name}, NOW)


@pytest.mark.parametrize("mode", MODES)
def test_a_push_is_read_in_each_mode(mode: str) -> None:
    app = Account(mode=mode)
    push = read_push(app, *pushed(app, write_xml(EVENT)), NOW)
    assert push is not None
    assert (push.openid, push.original_id, push.kind) == ("o-user", "gh_1", "event")
    assert (push.event, push.event_key, push.sent_at_s) == ("CLICK", "claim", 1_699_999_999)
    assert "o-user" not in repr(push)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("age_s", [MAX_SKEW_S + 1, -MAX_SKEW_S - 1, 10**9])
def test_an_old_push_is_none(mode: str, age_s: int) -> None:
    app = Account(mode=mode)
    assert read_push(app, *pushed(app, write_xml(EVENT), at=NOW - age_s), NOW) is None


@pytest.mark.parametrize("stamp", ["", "x", "１７００００００００", "-1700000000", "1" * 40, "1.7e9"])
def test_a_timestamp_that_is_none_is_refused(stamp: str) -> None:
    query = {"timestamp": stamp, "nonce": "n", "signature": signature("token", stamp, "n")}
    assert not is_signed(Account(), query, NOW)


@pytest.mark.parametrize("mode", MODES)
def test_a_forged_push_is_none(mode: str) -> None:
    app = Account(mode=mode)
    assert read_push(app, *pushed(app, write_xml(EVENT), token="guessed"), NOW) is None


@pytest.mark.parametrize("mode", ["safe", "compatible"])
def test_an_account_that_encrypts_is_never_read_in_the_clear(mode: str) -> None:
    """Only the address of a plain push is signed: whoever has seen one could put any body under it."""
    app = Account(mode=mode)
    query, _ = pushed(app, write_xml(EVENT))
    clear = {name: query[name] for name in ("signature", "timestamp", "nonce")}
    assert read_push(app, clear, write_xml(EVENT).encode(), NOW) is None
    assert read_push(app, query, write_xml(EVENT).encode(), NOW) is None


def test_the_signature_covers_the_ciphertext() -> None:
    app = Account()
    query, _ = pushed(app, write_xml(EVENT))
    _, other = pushed(app, write_xml(EVENT | {"Event": "unsubscribe"}))
    assert read_push(app, query, other, NOW) is None
    assert read_push(app, query | {"msg_signature": ""}, pushed(app, write_xml(EVENT))[1], NOW) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"app_id": "wxffffffffffffffff"},
        {"aes_key": base64.b64encode(bytes(32)).decode()[:43]},
        {"sealed": "not base64!"},
        {"sealed": base64.b64encode(b"short").decode()},
        {"sealed": base64.b64encode(bytes(32)).decode()},
        {"sealed": base64.b64encode(bytes(64)).decode()},
        {"sealed": "A"},
    ],
)
def test_what_does_not_decrypt_is_none(wrong: dict[str, Any]) -> None:
    app = Account()
    assert read_push(app, *pushed(app, write_xml(EVENT), **wrong), NOW) is None


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "content",
    [
        BOMB,
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x"><xml/>',
        "<xml>",
        "",
        "<xml/>",
        "{}",
        write_xml(EVENT | {"CreateTime": "soon"}),
        write_xml(EVENT | {"CreateTime": "9" * 30}),
        write_xml({name: value for name, value in EVENT.items() if name != "FromUserName"}),
        "<xml><FromUserName>o</FromUserName><MsgType></MsgType><CreateTime>1</CreateTime></xml>",
    ],
)
def test_xml_that_is_no_push_is_none(mode: str, content: str) -> None:
    app = Account(mode=mode)
    assert read_push(app, *pushed(app, content), NOW) is None


@pytest.mark.parametrize("mode", MODES)
@given(junk=st.binary(max_size=200))
def test_nothing_breaks_the_reader(mode: str, junk: bytes) -> None:
    app = Account(mode=mode)
    query, _ = pushed(app, "")
    assert read_push(app, query, junk, NOW) is None


def test_too_much_is_not_read() -> None:
    app = Account(mode="plain")
    query, body = pushed(app, write_xml(EVENT | {"Content": "x" * 300_000}))
    assert read_push(app, query, body, NOW) is None


def test_the_same_event_has_the_same_key_on_every_try() -> None:
    app = Account(mode="plain")
    first, again, other = (
        read_push(app, *pushed(app, write_xml(EVENT | more), at=at), NOW)
        for more, at in (({}, NOW), ({}, NOW + 5), ({"EventKey": "menu"}, NOW))
    )
    assert first and again and other
    assert first.key == again.key != other.key


@pytest.mark.parametrize("mode", MODES)
@given(text=st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1).map(str.strip).filter(bool))
def test_a_reply_reaches_the_user_in_the_accounts_mode(mode: str, text: str) -> None:
    app = Account(mode=mode)
    push = read_push(app, *pushed(app, write_xml(EVENT)), NOW)
    assert push is not None
    reply = open_reply(write_reply(app, push, text, time.time()), app.aes_key, app.token, app.app_id)
    assert (reply["ToUserName"], reply["FromUserName"], reply["MsgType"]) == ("o-user", "gh_1", "text")
    assert reply["Content"].split() == text.replace("]]>", "]] >").split()


def test_a_reply_cannot_end_its_own_cdata() -> None:
    app = Account(mode="plain")
    push = Push("o", "gh", "event", "CLICK", "", "", "", 1, "k")
    text = write_reply(app, replace(push), "]]></Content><Evil/>", NOW)
    assert "<Evil/>" not in open_reply(text, app.aes_key, app.token, app.app_id)
    assert "]] >" in text
