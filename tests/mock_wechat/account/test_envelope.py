from __future__ import annotations

import base64
import secrets

import pytest
from wechatpy.crypto import WeChatCrypto

from mock_wechat.account.envelope import decrypt, encrypt, open_reply, read_xml, signature, write_xml

KEY = base64.b64encode(secrets.token_bytes(32)).decode()[:43]
APP = "wx0123456789abcdef"


def test_the_published_vector_of_the_url_signature() -> None:
    assert signature("token", "1700000000", "nonce123") == "a0bd0d8193410a39391e932a28caaaa9b0d8c428"


@pytest.mark.parametrize("text", ["", "x" * 11, "<xml>中文]]></xml>", "y" * 4096])
def test_sealed_and_opened(text: str) -> None:
    assert decrypt(encrypt(text, KEY, APP), KEY, APP) == text


def test_another_app_cannot_be_mistaken() -> None:
    with pytest.raises(ValueError, match="another app"):
        decrypt(encrypt("hello", KEY, APP), KEY, "wxffffffffffffffff")


def test_the_library_reads_what_we_seal_and_we_read_what_it_seals() -> None:
    crypto = WeChatCrypto("tok", KEY, APP)
    sealed = encrypt(write_xml({"A": "1"}), KEY, APP)
    body = write_xml({"ToUserName": "gh", "Encrypt": sealed})
    opened = crypto.decrypt_message(body, signature("tok", "1", "n", sealed), "1", "n")
    assert read_xml(opened) == {"A": "1"}
    reply = crypto.encrypt_message("<xml><Content>你好</Content></xml>", "n", "1")
    assert open_reply(reply, KEY, "tok", APP) == {"Content": "你好"}
    with pytest.raises(ValueError, match="wrong signature"):
        open_reply(reply, KEY, "other", APP)


def test_texts_cannot_break_out_of_their_element() -> None:
    text = "a]]><B>1</B><![CDATA[b"
    assert read_xml(write_xml({"A": text, "N": 7})) == {"A": text, "N": "7"}


@pytest.mark.parametrize("text", ["", "oops", "<xml>", "<html></html>", "<xml>text</xml>"])
def test_what_is_no_message_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a message"):
        read_xml(text)
