"""What the platform may encrypt opens, however large; nothing is ever inflated."""

from __future__ import annotations

from typing import Any

import pytest
from joserfc import jwe
from joserfc.jwe import JWERegistry

from app.core.jwe import MAX_BYTES, encrypt
from claim_checker import opening
from claim_checker.checking import Checker
from claim_checker.keys import public_keys
from claim_checker.opening import NotOpened, decrypt
from claim_checker.reading import read
from tests.claim_checker.sample import INSURER, PARTS, PUBLIC, SIGNS, plain, sent, wire


def test_the_largest_message_of_the_platform_opens() -> None:
    assert opening.MAX_BYTES == MAX_BYTES
    whole = b"a" * MAX_BYTES
    assert decrypt(encrypt(whole, PUBLIC), INSURER) == whole


def test_a_package_with_a_part_as_large_as_may_be_is_found_right() -> None:
    record = PARTS["documents"][0]
    text = "a" * (MAX_BYTES - len(wire([record | {"text": ""}])))
    package = sent(plain(documents=[record | {"text": text}]))
    checker = Checker(public_keys(SIGNS.public_key), INSURER)
    assert checker.findings(read(wire(package))) == []
    assert checker.opened["documents"][0]["text"] == text


def test_what_would_be_inflated_is_not_opened() -> None:
    algorithms = [*opening.ALGORITHMS, "DEF"]
    header: dict[str, Any] = {"alg": algorithms[0], "enc": algorithms[1], "zip": "DEF"}
    text = jwe.encrypt_compact(header, b"0" * 100_000, INSURER, registry=JWERegistry(algorithms=algorithms))
    with pytest.raises(NotOpened):
        decrypt(text, INSURER)
