"""What was encrypted to the insurer is opened with the key that the message names, or refused by name."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from mock_partners.insurer.opening import MAX_BYTES, Keyring, Unopened, make_package_key
from tests.mock_partners.insurer.packages import PACKAGE_KEY, PERSON, bill, encrypt, line, parts, seal, sent

FILE = b"%PDF-1.4"


def ring(*keys: dict[str, Any]) -> Keyring:
    return Keyring(key["private_key_pem"] for key in keys)


def test_parts_and_files_are_put_back() -> None:
    package = seal(parts([bill([line(1, 100)])]))
    opened = ring(PACKAGE_KEY).open(sent(package, (FILE,)))
    assert opened.package == package and opened.package["parts"]["insured"] == PERSON
    assert opened.files == {hashlib.sha256(FILE).hexdigest(): FILE}


def test_a_part_and_a_file_as_large_as_the_guide_says_open() -> None:
    large = b"a" * MAX_BYTES
    package = sent(seal(parts([bill([line(1, 100)])])), (large,))
    package["encrypted"]["documents"] = encrypt(json.dumps("a" * (MAX_BYTES - 2)).encode())
    opened = ring(PACKAGE_KEY).open(package)
    assert opened.files == {hashlib.sha256(large).hexdigest(): large}
    assert len(opened.package["parts"]["documents"]) == MAX_BYTES - 2


def test_both_keys_open_while_one_follows_the_other() -> None:
    package, newer = seal(parts([bill([line(1, 100)])])), make_package_key()
    both = ring(PACKAGE_KEY, newer)
    assert both.open(sent(package)).package == both.open(sent(package, key=newer)).package
    with pytest.raises(Unopened):
        ring(PACKAGE_KEY).open(sent(package, key=newer))


def test_what_does_not_open_is_named() -> None:
    package = sent(seal(parts([bill([line(1, 100)])])))
    package["encrypted"]["insured"] = package["encrypted"]["insured"][:-1]
    with pytest.raises(Unopened, match="insured"):
        ring(PACKAGE_KEY).open(package)
    package = sent(seal(parts([bill([line(1, 100)])]))) | {"attachments": {"0" * 64: encrypt(FILE)}}
    with pytest.raises(Unopened, match=r"0{64}"):
        ring(PACKAGE_KEY).open(package)
