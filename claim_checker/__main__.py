"""`python -m claim_checker PACKAGE_FILE --key PUBLIC_KEY [--decrypt KEY_FILE] [--previous PACKAGE_FILE]`.

Exit status: 0 the package is what was signed, 1 it is not (each altered part is named on a line of its own), 2 it could
not be looked at.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from claim_checker.checking import Checker, Finding, succession
from claim_checker.keys import KeyProblem, private_key, public_keys
from claim_checker.reading import Unreadable, read

OK, ALTERED, CANNOT = 0, 1, 2


def main(given: list[str] | None = None) -> int:
    chosen = _parser().parse_args(given)
    try:
        private = private_key(chosen.decrypt) if chosen.decrypt else None
        checker = Checker(public_keys(chosen.key), private)
        files = [Path(name).read_bytes() for name in (chosen.package, *chosen.previous)]
    except (KeyProblem, OSError) as problem:
        print(f"cannot check: {problem}", file=sys.stderr)
        return CANNOT
    found, packages = [], []
    for raw in reversed(files):  # what is said of the package itself stands last: it was asked about
        try:
            packages.append(read(raw))
        except Unreadable as fault:
            found.append(Finding(fault.part, fault.why))
        else:
            found += checker.findings(packages[-1])
    if not found and len(packages) == 2:
        found += succession(packages[1], packages[0])
    for finding in found:
        print(f"altered: {_shown(finding.part)}: {_shown(finding.what)}")
    if found:
        return ALTERED
    _tell(packages[-1], checker)
    return OK


def _tell(package: dict[str, Any], checker: Checker) -> None:
    manifest = package["manifest"]
    print(f"ok: claim {manifest['claim_no']} version {manifest['package_version']}, {len(manifest['parts'])} parts")
    print(f"root {manifest['root']}")
    print(f"signed {manifest.get('signed_at', '')} with {manifest['key_id']}")
    hidden = sorted(package.get("encrypted", {}))
    if hidden and checker.private is None:
        print(f"encrypted, unaltered on the way, not looked into without --decrypt: {', '.join(hidden)}")


def _shown(text: str) -> str:
    """What whoever altered the file wrote can neither be taken for a line of ours nor steer the terminal."""
    return text if text.isascii() and text.isprintable() else ascii(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="claim_checker", description="Check a claim package's file offline.")
    parser.add_argument("package", metavar="PACKAGE_FILE", help="the package, or the delivery it came in, as JSON")
    parser.add_argument(
        "--key", required=True, help="the platform's public key (base64 or PEM), or a file with it or with all keys"
    )
    parser.add_argument(
        "--decrypt", metavar="KEY_FILE", help="your private key (PEM or JWK): look into encrypted parts"
    )
    parser.add_argument(
        "--previous", metavar="PACKAGE_FILE", nargs=1, default=[], help="the version before: check what has changed"
    )
    return parser


def entry() -> None:
    sys.exit(main())


if __name__ == "__main__":
    entry()
