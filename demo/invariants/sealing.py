"""The audit chain's hash and the check fields' key, computed by formulas written down here a second time.

Chain: SHA-256 over the canonical JSON of [previous hash, place, microseconds since 1970, content]; the first previous
hash is 64 zeros. Check field: HMAC-SHA-256, under a key derived from the oldest master key by HKDF (RFC 5869, no salt,
info `zhipei/check`), over the JSON of [table, [[column, value] … in order of the columns' names]].
"""

from __future__ import annotations

import hmac
import json
from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

GENESIS = "0" * 64
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CONTENT = (
    "id", "actor_kind", "actor_id", "request_id", "action", "subject_type", "subject_id", "from_status", "to_status",
    "detail",
)  # fmt: skip
# Which columns each check field covers.
CHECKED: Mapping[str, tuple[str, ...]] = {
    "bill": ("hospital_id", "key", "patient_no", "total_fen", "fund_fen", "account_fen", "self_pay_fen", "state"),
    "fee_line": ("hospital_id", "bill_id", "line_no", "amount_fen"),
    "e_bill": ("bill_id", "code", "number", "check_code", "state"),
    "payment_order": ("hospital_id", "account_id", "purpose", "subject", "amount_fen", "out_trade_no"),
    "refund": ("order_id", "amount_fen", "out_refund_no"),
    "settlement": ("bill_id", "no", "total_fen", "fund_fen", "account_fen", "self_pay_fen", "setl_id"),
    "claim_bill": (
        "clearing_no", "claim_id", "bill_id", "kind", "borne_fen", "approved_fen", "lost_fen", "payable_fen", "live",
    ),
    "recovery": ("claim_id", "clearing_no", "recovery_no", "decision_no", "lost_fen", "share_fen", "due_fen"),
    "decision": ("claim_id", "decision_no", "outcome", "approved_fen"),
    "decision_line": (
        "decision_id", "clearing_no", "line_no", "billed_fen", "covered_fen", "deductible_fen", "cap_fen",
        "approved_fen",
    ),
    "payout": ("claim_id", "insurer_id", "account_id", "channel", "amount_fen", "out_no"),
    "ledger_entry": ("transaction_id", "account_id", "amount_fen"),
}  # fmt: skip


def entry_hash(prev_hash: str, seq: int, entry: Mapping[str, Any]) -> str:
    content = {name: _as_json(entry[name]) for name in _CONTENT}
    chained = [prev_hash, seq, _micros(entry["at"]), content]
    return sha256(json.dumps(chained, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def check_key(master_keys: str) -> bytes:
    """`master_keys` is `id:base64[,id:base64…]`, the oldest last."""
    oldest = b64decode(master_keys.split(",")[-1].split(":", 1)[1], validate=True)
    extracted = hmac.new(bytes(32), oldest, sha256).digest()
    return hmac.new(extracted, b"zhipei/check\x01", sha256).digest()


def check_field(key: bytes, table: str, row: Mapping[str, Any]) -> str:
    columns = sorted((name, _as_json(row[name])) for name in CHECKED[table])
    return hmac.new(key, json.dumps([table, columns], ensure_ascii=False).encode(), sha256).hexdigest()


def _as_json(value: Any) -> Any:
    return value if value is None or isinstance(value, int | str | dict) else str(value)


def _micros(moment: datetime) -> int:
    passed = moment - _EPOCH
    return (passed.days * 86400 + passed.seconds) * 1_000_000 + passed.microseconds
