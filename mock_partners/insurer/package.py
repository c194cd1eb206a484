"""What an insurer checks before it takes a claim package in: hashes, root, signature, references and sums. The package
is in plain text here, as opening.Keyring gives it."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from mock_partners.answers import missing
from mock_partners.books import is_clearing_no
from mock_partners.signing import canonical

MANIFEST = ("claim_no", "package_version", "previous_root", "changes", "parts", "root", "key_id", "signature")
PARTS = (
    "claim",
    "insured",
    "policy",
    "hospital",
    "visits",
    "diagnoses",
    "bills",
    "e_bills",
    "consent",
    "application_form",
    "supplements",
)
BILL = ("clearing_no", "visit_key", "total_fen", "fund_fen", "account_fen", "self_pay_fen", "borne_fen", "lines")
ANY_KEY = "*"
Problem = dict[str, str]


def read_key(text: str) -> Ed25519PublicKey:
    """An Ed25519 public key, PEM or base64 of its 32 bytes; raises ValueError."""
    key = load_pem_public_key(text.encode()) if "BEGIN" in text else None
    if key is None:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("not an Ed25519 key")
    return key


def problems(package: Any, keys: Mapping[str, str]) -> list[Problem]:
    """Everything that is wrong with a package; its content is looked at only if its seal is right.

    `keys`: key id -> public key; the id `*` stands for a key that is used whatever the package names.
    """
    shape = list(_shape(package))
    if shape:
        return shape
    seal = list(_seal(package["manifest"], package["parts"], keys))
    return seal or list(_content(package["manifest"], package["parts"]))


def _problem(code: str, text: str) -> Problem:
    return {"code": code, "text": text}


def _shape(package: Any) -> Iterator[Problem]:
    if missing(package, ("manifest", "parts")) or not isinstance(package["parts"], dict):
        yield _problem("malformed", "理赔包缺少清单或内容")
        return
    for name in missing(package["manifest"], MANIFEST):
        yield _problem("malformed", f"清单缺少 {name}")
    for name in missing(package["parts"], PARTS):
        yield _problem("part_missing", f"理赔包缺少 {name}")


def _seal(manifest: Mapping[str, Any], parts: Mapping[str, Any], keys: Mapping[str, str]) -> Iterator[Problem]:
    listed = {entry["name"]: entry for entry in manifest["parts"] if not missing(entry, ("name", "sha256", "bytes"))}
    if set(listed) != set(parts) or len(manifest["parts"]) != len(parts):
        yield _problem("parts_differ", "清单与内容的部件不一致")
        return
    for name, part in parts.items():
        text = canonical(part)
        if hashlib.sha256(text).hexdigest() != listed[name]["sha256"] or len(text) != listed[name]["bytes"]:
            yield _problem("hash_differs", f"{name} 的摘要或长度不符")
    lines = "".join(f"{name} {listed[name]['sha256']}\n" for name in sorted(listed))
    if hashlib.sha256(lines.encode()).hexdigest() != manifest["root"]:
        yield _problem("root_differs", "根摘要不符")
    if not _signed(manifest, keys):
        yield _problem("signature_invalid", "理赔包签名无效")


def _signed(manifest: Mapping[str, Any], keys: Mapping[str, str]) -> bool:
    text = keys.get(manifest["key_id"]) or keys.get(ANY_KEY)
    if text is None:
        return False
    try:
        signature = base64.b64decode(manifest["signature"], validate=True)
        read_key(text).verify(signature, canonical({k: v for k, v in manifest.items() if k != "signature"}))
    except (InvalidSignature, binascii.Error, TypeError, ValueError):
        return False
    return True


def _content(manifest: Mapping[str, Any], parts: Mapping[str, Any]) -> Iterator[Problem]:
    if parts["claim"].get("claim_no") != manifest["claim_no"]:
        yield _problem("claim_differs", "理赔申请号与清单不一致")
    if not parts["bills"]:
        yield _problem("no_bill", "理赔包没有结算单")
    for name in ("consent", "application_form"):
        if not parts[name]:
            yield _problem("part_missing", f"理赔包缺少 {name}")
    if any(e_bill.get("status") == "reversed" for e_bill in parts["e_bills"]):
        yield _problem("e_bill_reversed", "电子票据已红冲")
    visits = {visit.get("visit_key") for visit in parts["visits"]}
    seen: set[str] = set()
    for bill in parts["bills"]:
        yield from _bill(bill, visits, seen)


def _bill(bill: Mapping[str, Any], visits: set[Any], seen: set[str]) -> Iterator[Problem]:
    if missing(bill, BILL):
        yield _problem("malformed", "结算单缺少字段")
        return
    number = bill["clearing_no"]
    if not is_clearing_no(number) or number in seen:
        yield _problem("clearing_no_invalid", "清算流水号无效或重复")
        return
    seen.add(number)
    if bill["visit_key"] not in visits:
        yield _problem("visit_missing", f"{number} 的就诊不在理赔包内")
    line_nos = [line.get("line_no") for line in bill["lines"]]
    if len(set(line_nos)) != len(line_nos):
        yield _problem("line_repeated", f"{number} 的明细行号重复")
    if sum(line["amount_fen"] for line in bill["lines"]) != bill["total_fen"]:
        yield _problem("lines_differ", f"{number} 的明细合计与总额不符")
    if bill["fund_fen"] + bill["account_fen"] + bill["self_pay_fen"] != bill["total_fen"]:
        yield _problem("settlement_differs", f"{number} 的基金、账户与自付合计与总额不符")
    if not 0 <= bill["fund_fen"] <= bill["total_fen"] or bill["borne_fen"] != bill["total_fen"] - bill["fund_fen"]:
        yield _problem("borne_differs", f"{number} 的个人负担与总额减基金不符")


def supplied(parts: Mapping[str, Any], files: Mapping[str, bytes], request_no: str) -> list[dict[str, Any]] | None:
    """Kind, title, hash and size of each document sent on a request; None if a file is not there."""
    listed = [entry for entry in parts["supplements"] if entry["request_no"] == request_no]
    if any(entry["sha256"] not in files for entry in listed):
        return None
    names = ("kind", "title", "sha256")
    return [{**{name: entry[name] for name in names}, "bytes": len(files[entry["sha256"]])} for entry in listed]
