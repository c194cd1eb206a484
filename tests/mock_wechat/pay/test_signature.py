from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from wechatpayv3 import utils

from mock_wechat.pay.signature import lines, open_field, seal, seal_field, sign, verify


def test_the_published_text_to_sign() -> None:
    text = lines("GET", "/v3/certificates", "1554208460", "593BEC0C930BF1AFEB40B4A08C8FB242", b"")
    assert text == b"GET\n/v3/certificates\n1554208460\n593BEC0C930BF1AFEB40B4A08C8FB242\n\n"


def test_the_library_and_we_verify_each_other(merchant: dict[str, Any]) -> None:
    private: Any = load_pem_private_key(merchant["private_key_pem"].encode(), None)
    public: Any = load_pem_public_key(merchant["public_key_pem"].encode())
    assert utils.rsa_verify("1", "n", "{}", sign(private, lines("1", "n", "{}")), public)
    theirs = utils.rsa_sign(private, "1\nn\n{}\n")
    assert verify(public, lines("1", "n", b"{}"), theirs)
    assert not verify(public, lines("2", "n", b"{}"), theirs)
    assert not verify(public, lines("1", "n", b"{}"), "WECHATPAY/SIGNTEST/" + theirs[19:])


@pytest.mark.parametrize("associated", ["", "transaction"])
def test_the_library_opens_what_we_seal(associated: str) -> None:
    sealed = seal("k" * 32, "明文", associated)
    opened = utils.aes_decrypt(sealed["nonce"], sealed["ciphertext"], associated, "k" * 32)
    assert opened == "明文"
    assert utils.aes_decrypt(sealed["nonce"], sealed["ciphertext"], "other", "k" * 32) is None


def test_sealed_fields_go_both_ways(merchant: dict[str, Any]) -> None:
    private: Any = load_pem_private_key(merchant["private_key_pem"].encode(), None)
    assert open_field(private, utils.rsa_encrypt("张三", private.public_key())) == "张三"
    assert utils.rsa_decrypt(seal_field(private.public_key(), "张三"), private) == "张三"
    for wrong in ("张三", "AAAA", ""):
        with pytest.raises(ValueError, match="not sealed"):
            open_field(private, wrong)
