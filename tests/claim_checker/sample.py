"""Packages as the platform makes them, and the keys that belong to them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from joserfc.jwk import ECKey

from app.claim.encryption import for_insurer
from app.claim.package import Head, seal
from app.core.jwe import read_public_key
from app.core.signing import SigningKey

SIGNS = SigningKey(b"s" * 32)
INSURER = ECKey.generate_key("P-256")
PUBLIC = read_public_key({k: str(v) for k, v in INSURER.as_dict(private=False).items()})
FILE = b"%PDF-1.4 invoice"
AT = datetime(2026, 11, 21, 2, tzinfo=UTC)
PARTS: dict[str, Any] = {
    "claim": {"claim_no": "CL1", "asked_fen": 100_00, "business_date": "2026-11-21", "policy": {"claim": [1, 0, None]}},
    "insured": {"name": "欧阳·娜", "document_no": "11010519491231002X"},
    "hospital": {"code": "H1", "name": "市第一人民医院"},
    "bills": [{"clearing_no": "1", "total_fen": 100_00, "lines": [{"line_no": 1, "amount_fen": 100_00}]}],
    "documents": [{"kind": "medical_record", "text": '咽痛三天\n\t"无"发热\\'}],
    "e_bills": [{"code": "31010126", "number": "0001", "status": "issued"}],
    "supplements": [{"request_no": None, "kind": "invoice", "sha256": sha256(FILE).hexdigest()}],
    "consent": {"scope": ["identity", "bills"], "by_guardian": False},
}


def plain(**parts: Any) -> dict[str, Any]:
    return seal(Head("CL1", AT), PARTS | parts, SIGNS)


def sent(sealed: dict[str, Any] | None = None) -> dict[str, Any]:
    digest = sha256(FILE).hexdigest()
    return for_insurer(sealed or plain(), {digest: FILE}, PUBLIC, SIGNS)


def wire(package: Any) -> bytes:
    return json.dumps(package, ensure_ascii=False, separators=(",", ":")).encode()


def other_key() -> str:
    return SigningKey(b"o" * 32).public_key


def raw_key() -> str:
    return SIGNS.public_key
