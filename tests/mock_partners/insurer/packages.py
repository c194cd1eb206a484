"""Sealed claim packages and the policies they are claimed under."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwe
from joserfc.jwk import ECKey

from mock_partners.books import clearing_no
from mock_partners.insurer.opening import ALGORITHMS, make_package_key

DAY = "2026-11-21"
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC_KEY = base64.b64encode(KEY.public_key().public_bytes_raw()).decode()
PACKAGE_KEY = make_package_key()
PERSON = {
    "name": "欧阳·娜",
    "document_type": "id_card",
    "document_no": "11010519491231002X",
    "birth_date": "1949-12-31",
}


def policy(**more: Any) -> dict[str, Any]:
    return {
        "policy_no": "P1",
        "product_name": "百万医疗险",
        "product_filing_no": "BA-2026-1",
        "valid_from": "2026-01-01",
        "valid_to": "2026-12-31",
        "insured": PERSON,
        "ratio": "0.90",
        "deductible_fen": 0,
        **more,
    }


def line(line_no: int, amount_fen: int, insurance_class: str = "甲", code: str = "D001") -> dict[str, Any]:
    return {"line_no": line_no, "amount_fen": amount_fen, "insurance_class": insurance_class, "code": code}


def bill(lines: list[dict[str, Any]], *, ordinal: int = 1, fund_fen: int = 0, visit: str = "V1") -> dict[str, Any]:
    total = sum(one["amount_fen"] for one in lines)
    return {
        "clearing_no": clearing_no(DAY, ordinal),
        "bill_no": f"B{ordinal}",
        "visit_key": visit,
        "total_fen": total,
        "fund_fen": fund_fen,
        "account_fen": 0,
        "self_pay_fen": total - fund_fen,
        "borne_fen": total - fund_fen,
        "lines": lines,
    }


def parts(bills: list[dict[str, Any]], *, claim_no: str = "CL1", policy_no: str = "P1", **more: Any) -> dict[str, Any]:
    visits = {one["visit_key"]: {"visit_key": one["visit_key"], "started_on": DAY} for one in bills}
    return {
        "claim": {"claim_no": claim_no},
        "insured": PERSON,
        "policy": {"policy_no": policy_no},
        "hospital": {"code": "H1"},
        "visits": list(visits.values()),
        "diagnoses": [{"visit_key": key, "code": "J06.900"} for key in visits],
        "procedures": [],
        "bills": bills,
        "e_bills": [{"clearing_no": one["clearing_no"], "status": "issued"} for one in bills],
        "documents": [],
        "consent": {"version": "1"},
        "application_form": {"signed": True},
        "supplements": [],
        **more,
    }


def seal(content: dict[str, Any], *, version: int = 1, previous_root: str | None = None) -> dict[str, Any]:
    listed = [
        {"name": name, "sha256": hashlib.sha256(text).hexdigest(), "bytes": len(text)}
        for name, text in ((name, canonical(part)) for name, part in content.items())
    ]
    listed.sort(key=lambda entry: str(entry["name"]))
    root = hashlib.sha256("".join(f"{e['name']} {e['sha256']}\n" for e in listed).encode()).hexdigest()
    manifest = {
        "claim_no": content["claim"]["claim_no"],
        "package_version": version,
        "previous_root": previous_root,
        "changes": {"added": [], "changed": [], "removed": []},
        "parts": listed,
        "root": root,
        "signed_at": f"{DAY}T02:00:00Z",
        "key_id": "k1",
    }
    return {"manifest": {**manifest, "signature": sign(manifest)}, "parts": content}


def sign(body: dict[str, Any]) -> str:
    return base64.b64encode(KEY.sign(canonical(body))).decode()


def encrypt(plain: bytes, key: dict[str, Any] = PACKAGE_KEY) -> str:
    public = ECKey.import_key(key["public"])
    header = {"alg": ALGORITHMS[0], "enc": ALGORITHMS[1], "kid": public.thumbprint()}
    return jwe.encrypt_compact(header, plain, public, algorithms=ALGORITHMS)


def sent(package: dict[str, Any], files: tuple[bytes, ...] = (), key: dict[str, Any] = PACKAGE_KEY) -> dict[str, Any]:
    """The package as it crosses the wire: the insured and the supplements encrypted, the files beside them."""
    hidden = ("insured", "supplements")
    return {
        "manifest": package["manifest"],
        "parts": {name: part for name, part in package["parts"].items() if name not in hidden},
        "encrypted": {name: encrypt(canonical(package["parts"][name]), key) for name in hidden},
        "attachments": {hashlib.sha256(content).hexdigest(): encrypt(content, key) for content in files},
    }


def claim(bills: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    content = parts(bills, **more)
    return {
        "claim_no": content["claim"]["claim_no"],
        "policy_no": content["policy"]["policy_no"],
        "package": seal(content),
        "remainders": [],
    }


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
