"""What must hold of a package. Everything that does not is found at once, each with the name of the part.

The manifest lists every part with the SHA-256 and the length of its canonical JSON (keys sorted, no white space,
UTF-8); the root is the SHA-256 of the lines `name sha256`; the manifest is signed. Parts that are encrypted are listed
there by the hash of what is inside; the envelope, signed too, lists the hashes of what is outside.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from joserfc.jwk import ECKey

from claim_checker.opening import NotOpened, decrypt
from claim_checker.reading import Unreadable, decrypted
from claim_checker.shape import Finding, files, misshapes


@dataclass
class Checker:
    """`keys`: the platform's public keys by id; `private`: the insurer's key, without which what is encrypted is
    checked from outside only. `opened` holds the encrypted parts of the package looked at last."""

    keys: Mapping[str, Ed25519PublicKey]
    private: ECKey | None = None
    opened: dict[str, Any] = field(default_factory=dict)

    def findings(self, package: Mapping[str, Any]) -> list[Finding]:
        misshapen = list(misshapes(package))
        if misshapen:
            return misshapen
        self.opened.clear()
        found = [*self._seal(package), *self._parts(package)]
        if "envelope" in package:
            found += self._envelope(package)
        if "attachments" in package:
            found += self._attachments(package)
        return found

    def _seal(self, package: Mapping[str, Any]) -> Iterator[Finding]:
        manifest = package["manifest"]
        yield from self._signature("manifest", manifest)
        lines = "".join(f"{entry['name']} {entry['sha256']}\n" for entry in manifest["parts"])
        if sha256(lines.encode()).hexdigest() != manifest["root"]:
            yield Finding("manifest", "its root is not that of its parts")
        claim = package["parts"].get("claim")
        if isinstance(claim, dict) and claim.get("claim_no") != manifest["claim_no"]:
            yield Finding("claim", "its number is not the manifest's")

    def _signature(self, name: str, body: Mapping[str, Any]) -> Iterator[Finding]:
        key = self.keys.get(body["key_id"]) if isinstance(body["key_id"], str) else None
        if key is None:
            yield Finding(name, "is signed with a key that was not given")
            return
        signed = {member: value for member, value in body.items() if member != "signature"}
        try:
            signature = b64decode(body["signature"], validate=True)
            if b64encode(signature).decode() != body["signature"]:
                raise ValueError("the last letter has bits that mean nothing")
            key.verify(signature, canonical(signed))
        except (InvalidSignature, ValueError, TypeError):
            yield Finding(name, "its signature is not right")

    def _parts(self, package: Mapping[str, Any]) -> Iterator[Finding]:
        listed = {entry["name"]: entry for entry in package["manifest"]["parts"]}
        plain, hidden = package["parts"], package.get("encrypted", {})
        for name in sorted(listed.keys() - plain.keys() - hidden.keys()):
            yield Finding(name, "is missing")
        for name in sorted((plain.keys() | hidden.keys()) - listed.keys()):
            yield Finding(name, "is not in the manifest")
        for name in sorted(plain.keys() & hidden.keys()):
            yield Finding(name, "stands twice, in plain text and encrypted")
        for name in sorted(listed.keys() & plain.keys()):
            yield from _hash(listed[name], canonical(plain[name]))
        for name in sorted(listed.keys() & hidden.keys()):
            yield from self._hidden(listed[name], hidden[name])

    def _hidden(self, entry: Mapping[str, Any], text: Any) -> Iterator[Finding]:
        if self.private is None:
            return
        try:
            plain = decrypt(text, self.private)
        except NotOpened:
            yield Finding(entry["name"], "cannot be decrypted with this key")
            return
        differing = list(_hash(entry, plain))
        yield from differing
        if not differing:
            yield from self._opened(entry["name"], plain)

    def _opened(self, name: str, plain: bytes) -> Iterator[Finding]:
        try:
            self.opened[name] = decrypted(name, plain)
        except Unreadable as fault:
            yield Finding(fault.part, fault.why)

    def _envelope(self, package: Mapping[str, Any]) -> Iterator[Finding]:
        envelope = package["envelope"]
        yield from self._signature("envelope", envelope)
        if envelope["root"] != package["manifest"]["root"]:
            yield Finding("envelope", "belongs to another package")
        for holder in ("encrypted", "attachments"):
            hashes, texts = envelope[holder], package.get(holder, {})
            for name in sorted(hashes.keys() | texts.keys()):
                if not _is_of(texts.get(name), hashes.get(name)):
                    yield Finding(name if holder == "encrypted" else holder, f"{_short(name)}is not what was sent")

    def _attachments(self, package: Mapping[str, Any]) -> Iterator[Finding]:
        if self.private is None:
            return
        listed = files(self.opened.get("supplements", []))
        if listed is None:
            yield Finding("supplements", "is no list of files")
            listed = set()
        for digest, text in package["attachments"].items():
            try:
                plain = decrypt(text, self.private)
            except NotOpened:
                yield Finding("attachments", f"{_short(digest)}cannot be decrypted with this key")
                continue
            if sha256(plain).hexdigest() != digest or digest not in listed:
                yield Finding("attachments", f"{_short(digest)}is not a file that the part supplements lists")


def succession(package: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[Finding]:
    """What is wrong with a version as the next one of `before`; both were found right by themselves."""
    new, old = package["manifest"], before["manifest"]
    if new["previous_root"] != old["root"] or new["package_version"] != old["package_version"] + 1:
        yield Finding("manifest", "is not the next version of the package before")
        return
    hashes = [{entry["name"]: entry["sha256"] for entry in manifest["parts"]} for manifest in (old, new)]
    for name in sorted(hashes[0].keys() | hashes[1].keys()):
        was, now = hashes[0].get(name), hashes[1].get(name)
        kind = "added" if was is None else "removed" if now is None else "changed" if was != now else None
        told = [member for member, names in new["changes"].items() if name in names]
        if told != ([kind] if kind else []):
            yield Finding(name, f"was {kind or 'not altered'}, and the manifest's changes do not say so")


def canonical(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _hash(entry: Mapping[str, Any], content: bytes) -> Iterator[Finding]:
    if sha256(content).hexdigest() != entry["sha256"] or len(content) != entry["bytes"]:
        yield Finding(entry["name"], "is not what the manifest lists")


def _is_of(text: Any, digest: Any) -> bool:
    return isinstance(text, str) and sha256(text.encode()).hexdigest() == digest


def _short(name: str) -> str:
    """A file's hash, shortened, before what is said of it; nothing before what is said of a part."""
    return f"{name[:12]} " if len(name) == 64 else ""
