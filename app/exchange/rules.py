"""What partners may send, and what a batch declares about itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

ROW_TYPES: Mapping[str, frozenset[str]] = {
    "catalogue": frozenset({"department", "doctor", "slot"}),
    "record": frozenset({"visit", "diagnosis", "procedure", "report", "document", "bill", "fee_line", "e_bill"}),
    "ledger": frozenset({"ledger"}),
}
# Which batches and which messages a kind of party may send.
BATCH_KINDS: Mapping[str, frozenset[str]] = {
    "hospital": frozenset(ROW_TYPES),
    "insurer": frozenset({"ledger"}),
}
MESSAGE_FAMILIES: Mapping[str, str] = {"insurer": "claim.", "bank": "bank.", "hospital": "tie."}

# What is so needs nothing more: a stale row is older than what we have.
SETTLED_VERDICTS = ("applied", "unchanged", "stale", "mended")

_AMOUNTS = {"bill": "total_fen", "ledger": "amount_fen"}
_PARTNER = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_MESSAGE_ID = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)


def canonical(value: Any) -> bytes:
    """The one JSON text both sides hash: sorted keys, no blanks, UTF-8. ValueError for NaN and infinity."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def sum_fen(rows: Iterable[Mapping[str, Any]]) -> int:
    """What a batch declares as its amount: bills by their total, ledger rows by their amount. What is no integer is
    left out here and refused where the row is read."""
    amounts = [row["data"].get(name) for row in rows if (name := _AMOUNTS.get(row["type"])) is not None]
    return sum([amount for amount in amounts if type(amount) is int])


def mismatches(declared: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], digest: str) -> list[str]:
    """Names among count, amount_fen, sha256 that do not fit the rows."""
    found = {"count": len(rows), "amount_fen": sum_fen(rows), "sha256": digest}
    return [name for name, value in found.items() if declared[name] != value]


def complete_percent(*, settled: int, declared: int, arrived: int, missing: int) -> float | None:
    """How much of a day is where it belongs, in percent with two places, rounded down: the share of the declared rows
    that need nothing more, of the share of the batches that have arrived. 100 only if nothing is missing, unjudged,
    waiting or refused; None before the first batch."""
    if arrived == 0:
        return None
    of_rows, of_batches = (settled, declared) if declared else (1, 1), (arrived, arrived + missing)
    return 10_000 * of_rows[0] * of_batches[0] // (of_rows[1] * of_batches[1]) / 100


def may_ask(code: str, message_id: str) -> bool:
    """Whether these header values can be anybody's. A full stop would make the signed text ambiguous."""
    return bool(_PARTNER.fullmatch(code) and _MESSAGE_ID.fullmatch(message_id))


def request_hash(path: str, body: bytes) -> str:
    found = sha256(f"{path}\n".encode())
    found.update(body)
    return found.hexdigest()
