from __future__ import annotations

import re

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from mock_wechat.account.envelope import decrypt, encrypt
from mock_wechat.keys import make_app, make_merchant, make_template_id


def test_an_app_has_what_the_console_shows() -> None:
    app = make_app("oa", "H1", callback_url="https://x/cb")
    assert re.fullmatch(r"wx[0-9a-f]{16}", app["app_id"])
    assert re.fullmatch(r"gh_[0-9a-f]{12}", app["original_id"])
    assert (len(app["aes_key"]), app["callback_url"], app["mode"]) == (43, "https://x/cb", "safe")
    assert decrypt(encrypt("x", app["aes_key"], app["app_id"]), app["aes_key"], app["app_id"]) == "x"
    assert len(make_template_id()) == 43
    with pytest.raises(ValueError, match="kind"):
        make_app("web", "H1")


def test_a_merchant_has_two_pairs_that_fit() -> None:
    merchant = make_merchant("I1", ["wx1"], balance_fen=5)
    assert re.fullmatch(r"1\d{9}", merchant["mchid"])
    assert re.fullmatch(r"[0-9A-F]{40}", merchant["serial_no"])
    assert re.fullmatch(r"PUB_KEY_ID_\d{40}", merchant["wechat_public_key_id"])
    assert (len(merchant["apiv3_key"]), merchant["balance_fen"]) == (32, 5)
    for private, public in (("private_key_pem", "public_key_pem"), ("wechat_private_key_pem", "wechat_public_key_pem")):
        key = load_pem_private_key(merchant[private].encode(), None)
        assert key.public_key() == load_pem_public_key(merchant[public].encode())
    assert merchant["public_key_pem"] != merchant["wechat_public_key_pem"]
