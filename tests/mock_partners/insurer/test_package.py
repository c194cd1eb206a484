"""A package is taken in only if its seal is right and its content holds together; everything wrong is named at once."""

from __future__ import annotations

import base64
import copy
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mock_partners.insurer.package import ANY_KEY, problems, read_key
from tests.mock_partners.insurer.packages import KEY, PUBLIC_KEY, bill, line, parts, seal

KEYS = {"k1": PUBLIC_KEY}


def codes(package: Any) -> list[str]:
    return [problem["code"] for problem in problems(package, KEYS)]


def sound() -> dict[str, Any]:
    return parts([bill([line(1, 100_00), line(2, -1)], fund_fen=50_00)])


def test_a_sound_package_has_no_problem() -> None:
    assert problems(seal(sound()), KEYS) == []
    assert problems(seal(sound()), {ANY_KEY: PUBLIC_KEY}) == []


def test_keys_are_read_as_pem_too() -> None:
    pem = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    assert read_key(pem).public_bytes_raw() == KEY.public_key().public_bytes_raw()


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda p: p["parts"]["bills"][0].update(total_fen=1), "hash_differs"),
        (lambda p: p["manifest"]["parts"][0].update(bytes=1), "hash_differs"),
        (lambda p: p["manifest"].update(root="0" * 64), "root_differs"),
        (lambda p: p["manifest"].update(package_version=2), "signature_invalid"),
        (lambda p: p["parts"].update(more=[]), "parts_differ"),
        (lambda p: p["manifest"].update(key_id="k2"), "signature_invalid"),
        (lambda p: p["manifest"].update(signature="é"), "signature_invalid"),
        (lambda p: p["parts"].pop("consent"), "part_missing"),
        (lambda p: p.pop("manifest"), "malformed"),
    ],
)
def test_a_broken_seal_is_named(spoil: Callable[[dict[str, Any]], Any], code: str) -> None:
    package = copy.deepcopy(seal(sound()))
    spoil(package)
    assert code in codes(package)


def test_another_signer_is_refused() -> None:
    package = seal(sound())
    forged = Ed25519PrivateKey.generate().sign(package["manifest"]["root"].encode())
    package["manifest"]["signature"] = base64.b64encode(forged).decode()
    assert codes(package) == ["signature_invalid"]


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda c: c["bills"][0]["lines"][0].update(amount_fen=1), "lines_differ"),
        (lambda c: c["bills"][0].update(account_fen=1), "settlement_differs"),
        (lambda c: c["bills"][0].update(borne_fen=1), "borne_differs"),
        (lambda c: c["bills"][0].update(clearing_no="1" * 19), "clearing_no_invalid"),
        (lambda c: c["bills"][0].update(visit_key="V9"), "visit_missing"),
        (lambda c: c["bills"][0]["lines"][1].update(line_no=1), "line_repeated"),
        (lambda c: c["bills"].append(c["bills"][0]), "clearing_no_invalid"),
        (lambda c: c["bills"].clear(), "no_bill"),
        (lambda c: c["e_bills"][0].update(status="reversed"), "e_bill_reversed"),
        (lambda c: c.update(consent={}), "part_missing"),
    ],
)
def test_content_that_does_not_hold_together_is_named(spoil: Callable[[dict[str, Any]], Any], code: str) -> None:
    content = sound()
    spoil(content)
    assert code in codes(seal(content))
