"""What came of the messages, by the platform's tables, its audit trail and the payers' own books; and what would have
come of them where every message that is rightly signed has its effect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from chaos.letters import Letter
from demo.invariants.machines import may_move
from tests.app.town import Town

# Each finds what is there more than once though it was said once.
DOUBLED = {
    "decisions": "SELECT count(*) - count(DISTINCT claim_id) FROM decision",
    "requests": "SELECT count(*) - count(DISTINCT claim_id) FROM document_request",
    "payouts": "SELECT count(*) - count(DISTINCT claim_id) FROM payout",
    "bookings": "SELECT count(*) - count(DISTINCT (kind, reference)) FROM ledger_transaction",
    "replies": "SELECT count(*) - count(DISTINCT id) FROM command_reply",
    "rows": "SELECT count(*) - count(DISTINCT (hospital_id, key)) FROM fee_line",
    "visits": "SELECT count(*) - count(DISTINCT (hospital_id, key)) FROM visit",
    "notices": "SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM notice WHERE template IN"
    " ('bound', 'claim_decided', 'documents_requested') GROUP BY account_id, subject, template, channel) AS told",
    "overpaid": "SELECT count(*) FROM claim WHERE paid_fen > coalesce(approved_fen, 0)",
}
# A move that stands twice in the history of a row is one effect too many, unless a second cause was there.
WATCHED = ("claim", "payout", "binding", "command")
_MOVES = """
SELECT subject_type, subject_id, from_status, to_status FROM audit_entry
WHERE to_status IS NOT NULL AND subject_type = ANY(:tables) ORDER BY id
"""
_STALE = "SELECT count(*) FROM visit WHERE version < 2"
_ORDER = {"claim.case_opened": 1, "claim.documents_requested": 2, "claim.adjudicated": 3,
          "bank.transfer_finished": 1, "bank.returned": 2}  # fmt: skip


def doubled(town: Town) -> dict[str, int]:
    found = {name: int(town.value(query)) for name, query in DOUBLED.items()}
    moved = Counter((*row,) for row in town.rows(_MOVES, tables=list(WATCHED)))
    found["moves"] = sum(times - 1 for move, times in moved.items() if move[2] != move[3])
    found["transfers"] = _overpaid_by_payers(town)
    return found


def backwards(town: Town) -> int:
    """Moves that no table of states has, or that do not begin where the one before ended; rows of an older version."""
    last: dict[Any, str | None] = {}
    wrong = int(town.value(_STALE))
    for table, subject, before, after in town.rows(_MOVES, tables=list(WATCHED)):
        wrong += before != last.get(subject) or not may_move(table, before, after)
        last[subject] = after
    return wrong


def _overpaid_by_payers(town: Town) -> int:
    """Claims for which the bank and WeChat Pay have moved more than was approved, by their own books."""
    payouts = town.rows("SELECT p.out_no, p.claim_id, c.approved_fen FROM payout p JOIN claim c ON c.id = p.claim_id")
    moved: Counter[Any] = Counter()
    at_bank, at_wechat = town.bank.memory.load("transfers"), town.wechat.memory.load("transfer")
    wechat = {row["out_bill_no"]: row for row in at_wechat.values()}
    for row in payouts:
        if row.out_no in at_bank and at_bank[row.out_no]["status"] == "succeeded":
            moved[row.claim_id] += at_bank[row.out_no]["amount_fen"]
        if row.out_no in wechat and wechat[row.out_no]["state"] == "SUCCESS":
            moved[row.claim_id] += wechat[row.out_no]["wanted"]["transfer_amount"]
    approved = {row.claim_id: row.approved_fen or 0 for row in payouts}
    return sum(moved[claim_id] > approved[claim_id] for claim_id in approved)


def naive(tape: Iterable[Letter]) -> dict[str, int]:
    """A receiver that checks signatures and then does what each message says: effects too many, steps backwards."""
    effects: Counter[str] = Counter()
    last: dict[str, int] = {}
    back = 0
    for letter in tape:
        effects[letter.fact] += 1
        for subject, place in _places(letter.kind, letter.content):
            back += place < last.get(subject, 0)
            last[subject] = place
    return {"double_effects": sum(times - 1 for times in effects.values()), "backwards": back}


def _places(kind: str, content: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    if kind == "batches":
        yield from ((f"{row['type']} {row['key']}", row["version"]) for row in content["rows"])
    elif kind in _ORDER:
        data = content["data"]
        yield str(data.get("claim_no") or data["out_no"]), _ORDER[kind]
