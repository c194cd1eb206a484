"""Whether a file has the members of a package at all; only then its hashes and signatures can be looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from claim_checker.reading import FILE, HOLDERS, Twice, fault

ENVELOPE = ("encrypted", "attachments", "envelope")  # all of them, or none of a package in plain text
MEMBERS = ("manifest", "parts", *ENVELOPE)


@dataclass(frozen=True)
class Finding:
    """`part`: the name of a part, or of a member of the package."""

    part: str
    what: str


def misshapes(package: Mapping[str, Any]) -> Iterator[Finding]:
    for name in ("manifest", "parts", *(ENVELOPE if package.keys() & set(ENVELOPE) else ())):
        if name not in package:
            yield Finding(name, "is missing")
    for name, value in package.items():
        if name not in MEMBERS:
            yield Finding(name, "is no member of a package")
        elif not isinstance(value, dict):
            yield Finding(name, "is not an object")
    yield from _faults(package)
    if isinstance(package.get("manifest"), dict) and not _is_manifest(package["manifest"]):
        yield Finding("manifest", "is incomplete")
    if isinstance(package.get("envelope"), dict) and not _is_envelope(package["envelope"]):
        yield Finding("envelope", "is incomplete")


def _is_manifest(manifest: Mapping[str, Any]) -> bool:
    members = {"claim_no": str, "package_version": int, "changes": dict, "parts": list, "root": str, "key_id": str}
    if not _fits(manifest, members) or not {"previous_root", "signature"} <= manifest.keys():
        return False
    entry = {"name": str, "sha256": str, "bytes": int}
    entries = manifest["parts"]
    sound = all(isinstance(one, dict) and _fits(one, entry) for one in entries)
    return sound and len({one["name"] for one in entries}) == len(entries)


def _is_envelope(envelope: Mapping[str, Any]) -> bool:
    members = {"root": str, "encrypted": dict, "attachments": dict, "key_id": str}
    return _fits(envelope, members) and "signature" in envelope


def _fits(value: Mapping[str, Any], members: Mapping[str, type]) -> bool:
    return all(isinstance(value.get(name), kind) for name, kind in members.items())


def _faults(package: Mapping[str, Any]) -> Iterator[Finding]:
    """Each in the part, else the member of the package, in which it stands."""
    if isinstance(package, Twice):
        yield Finding(FILE, "holds a member twice")
    for name, value in package.items():
        whole = name not in HOLDERS or not isinstance(value, dict) or isinstance(value, Twice)
        for part, content in [(name, value)] if whole else value.items():
            if (why := fault(content)) is not None:
                yield Finding(part, why)


def files(supplements: Any) -> set[str] | None:
    """The hashes of the files that the part `supplements` lists; None where it is no list of files."""
    if not isinstance(supplements, list):
        return None
    if not all(isinstance(one, dict) and _fits(one, {"sha256": str}) for one in supplements):
        return None
    return {one["sha256"] for one in supplements}
