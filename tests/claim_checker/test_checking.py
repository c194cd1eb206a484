"""A package altered by one byte is refused, and the part that was altered is named."""

from __future__ import annotations

import copy
import json
import string
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.claim.package import Head, seal
from app.core import jwe
from claim_checker.checking import Checker, succession
from claim_checker.keys import public_keys
from claim_checker.reading import Unreadable, read
from tests.claim_checker.sample import AT, INSURER, PARTS, PUBLIC, SIGNS, other_key, plain, sent, wire

KEYS = public_keys(SIGNS.public_key)
SENT = sent()
WIRE = wire(SENT)


def spans(package: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """Where on the wire each part stands, and each member that is no part: name -> (first byte, byte after)."""
    found, names = {}, [(holder, name) for holder in ("parts", "encrypted") for name in package[holder]]
    for holder, name in names:
        found[name] = _span(wire(package[holder][name]), after=f'"{holder}":')
    return found | {name: _span(wire(package[name])) for name in ("manifest", "attachments", "envelope")}


def _span(value: bytes, after: str = "") -> tuple[int, int]:
    first = WIRE.index(value, WIRE.index(after.encode()))
    return first, first + len(value)


SPANS = spans(SENT)


def named(raw: bytes, *, private: bool = True) -> set[str]:
    try:
        package = read(raw)
    except Unreadable as fault:
        return {fault.part}
    checker = Checker(KEYS, INSURER if private else None)
    return {finding.part for finding in checker.findings(package)}


def test_what_was_signed_and_sent_is_found_right() -> None:
    assert named(WIRE) == named(WIRE, private=False) == set()
    assert named(wire({"claim_no": "CL1", "package": SENT})) == set()
    assert named(json.dumps(SENT, indent=2).encode()) == set(), "white space and escapes alter nothing"
    assert named(wire(plain())) == set(), "in plain text"


@pytest.mark.parametrize("private", [True, False])
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_whatever_byte_is_changed_its_part_is_named(private: bool, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(SPANS)))
    place = data.draw(st.integers(*SPANS[name]).filter(lambda at: at < SPANS[name][1]))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != WIRE[place]))
    altered = WIRE[:place] + bytes([byte]) + WIRE[place + 1 :]
    if _says_the_same(altered):
        assert named(altered, private=private) == set()
    else:
        assert name in named(altered, private=private)


def _says_the_same(altered: bytes) -> bool:
    """An escape may be written in two ways; then nothing was altered."""
    try:
        return bool(json.loads(altered) == SENT)
    except ValueError:
        return False


@pytest.mark.parametrize("place", range(0, len(WIRE), 97))
def test_no_byte_at_all_can_be_changed_unseen(place: int) -> None:
    for byte in {WIRE[place] ^ 1, WIRE[place] ^ 0x20, 0x22} - {WIRE[place]}:
        altered = WIRE[:place] + bytes([byte]) + WIRE[place + 1 :]
        assert _says_the_same(altered) or named(altered, private=False)


@pytest.mark.parametrize(
    ("alter", "part"),
    [
        (lambda p: p["parts"].pop("consent"), "consent"),
        (lambda p: p["parts"].update(more=1), "more"),
        (lambda p: p["parts"].update(insured={}), "insured"),
        (lambda p: p["encrypted"].update(bills=p["encrypted"]["insured"]), "bills"),
        (lambda p: p["attachments"].clear(), "attachments"),
        (lambda p: p["attachments"].update({"0" * 64: "x"}), "attachments"),
        (lambda p: p["envelope"].update(signature=p["manifest"]["signature"]), "envelope"),
        (lambda p: p.pop("envelope"), "envelope"),
        (lambda p: p["manifest"].update(package_version=2), "manifest"),
        (lambda p: p["manifest"]["parts"].append(p["manifest"]["parts"][0]), "manifest"),
        (lambda p: p.update(more={}), "more"),
        (lambda p: p.pop("manifest"), "manifest"),
    ],
)
def test_what_is_missing_added_or_exchanged_is_named(alter: Callable[[Any], Any], part: str) -> None:
    package = copy.deepcopy(SENT)
    alter(package)
    assert part in named(wire(package), private=False)


@pytest.mark.parametrize(
    ("alter", "part"),
    [
        (lambda p: p["parts"]["hospital"].update(name="\ud800"), "hospital"),
        (lambda p: p["manifest"]["parts"][0].update(name="\ud800"), "manifest"),
        (lambda p: p["encrypted"].update(bills="\ud800"), "bills"),
        (lambda p: p["attachments"].update({"0" * 64: "\ud800"}), "attachments"),
    ],
)
def test_half_a_character_is_named_as_any_other_alteration(alter: Callable[[Any], Any], part: str) -> None:
    """JSON can write half of a surrogate pair; no UTF-8 can."""
    package = copy.deepcopy(SENT)
    alter(package)
    assert part in named(json.dumps(package).encode())


@pytest.mark.parametrize("depth", [450, 900, 100_000])
def test_a_part_nested_beyond_all_measure_is_no_crash(depth: int) -> None:
    nested = b"[" * depth + b"]" * depth
    assert named(WIRE.replace(b'"code":"H1"', b'"code":' + nested)) in ({"hospital"}, {"file"})


@pytest.mark.parametrize("content", [b"no JSON", b"\xff", b"1", b"[1]", b"[{}]", b'[{"sha256":[]}]'])
def test_whoever_encrypts_something_else_is_no_crash(content: bytes) -> None:
    """Anybody can encrypt to the insurer, and list it; only the signature is missing then."""
    package = copy.deepcopy(SENT)
    package["encrypted"]["supplements"] = jwe.encrypt(content, PUBLIC)
    [entry] = [one for one in package["manifest"]["parts"] if one["name"] == "supplements"]
    entry.update(sha256=sha256(content).hexdigest(), bytes=len(content))
    assert {"manifest", "supplements", "attachments"} <= named(wire(package))


@pytest.mark.parametrize("name", ["manifest", "envelope"])
def test_a_signature_is_written_in_one_way(name: str) -> None:
    """64 bytes leave four bits of the last letter without a meaning; those are not free to be changed either."""
    for letter in string.ascii_letters + string.digits + "+/":
        package = copy.deepcopy(SENT)
        package[name]["signature"] = package[name]["signature"][:-3] + letter + "=="
        assert package == SENT or named(wire(package)) == {name}


def test_whoever_signs_anew_is_another() -> None:
    theirs = Checker(public_keys(other_key()))
    assert {one.part for one in theirs.findings(SENT)} == {"manifest", "envelope"}


def test_a_member_that_stands_twice_is_named() -> None:
    twice = WIRE.replace(b'"code":"H1"', b'"code":"H2","code":"H1"')
    assert named(twice) == {"hospital"}


def test_the_next_version_says_what_has_changed() -> None:
    first = plain()
    parts = PARTS | {"supplements": [], "more": 1}
    del parts["e_bills"]
    second = seal(Head("CL1", AT, first["manifest"]), parts, SIGNS)
    assert second["manifest"]["changes"] == {"added": ["more"], "changed": ["supplements"], "removed": ["e_bills"]}
    assert list(succession(second, first)) == []
    silent = copy.deepcopy(second)
    silent["manifest"]["changes"]["changed"] = []
    assert [finding.part for finding in succession(silent, first)] == ["supplements"]
    assert [finding.part for finding in succession(second, second)] == ["manifest"]
