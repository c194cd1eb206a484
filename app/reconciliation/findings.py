"""A comparison in the words of the work list: what was seen, under which name, and why it may be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from app.reconciliation import rules
from app.reconciliation.comparison import Compared
from app.reconciliation.engine.ledger import PARTIES
from app.reconciliation.engine.outcome import Outcome
from app.reconciliation.integrity import Integrity

AGREED_SET = "111"


@dataclass(frozen=True)
class Seen:
    """One thing that does not agree; (kind, key) names it within its date. `values` are columns of Difference."""

    kind: str
    key: str
    values: dict[str, Any] = field(default_factory=dict)


def found(compared: Compared, integrity: Integrity) -> list[Seen]:
    """Everything a run saw, each name once."""
    seen: list[Seen] = []
    if compared.outcome is not None:
        seen += _of_rows(compared, compared.outcome)
        seen += _duplicates(compared, compared.outcome.duplicate_rows)
        seen += _bad_rows(compared, compared.outcome.bad_rows)
    seen += [Seen("tampered", where, {"cause": "tampered"}) for where in integrity.tampered]
    seen += [Seen("tampered", where, {"cause": "ledger"}) for where in integrity.ledger]
    if integrity.chain_broken_at is not None:
        seen.append(Seen("tampered", f"audit_entry:{integrity.chain_broken_at}", {"cause": "audit_chain"}))
    return list({(one.kind, one.key): one for one in seen}.values())


def _of_rows(compared: Compared, outcome: Outcome) -> Iterator[Seen]:
    ids = compared.attendance.ids
    for row in outcome.differences.iter_rows(named=True):
        number, found_set = row["clearing_no"], row["set"]
        values = {name: row[name] for role in PARTIES for name in (f"{role}_fen", f"{role}_status")} | {
            "clearing_no": number,
            "found_set": found_set,
            "hospital_id": ids.get(row.get("hospital") or ""),
            "insurer_id": ids.get(row.get("insurer") or ""),
        }
        if found_set != AGREED_SET:
            yield Seen("presence", number, values | {"cause": rules.presence_cause(found_set)})
        for what, differs in (("amount", row["amount_differs"]), ("status", row["status_differs"])):
            if differs:
                yield Seen(what, number, values | {"cause": rules.odd_one_out(what, _said(row, what))})


def _said(row: Mapping[str, Any], what: str) -> dict[str, Any]:
    """What each role that has the row says about it."""
    column = "fen" if what == "amount" else what
    return {role: row[f"{role}_{column}"] for role in PARTIES if row[f"{role}_fen"] is not None}


def _duplicates(compared: Compared, rows: pl.DataFrame) -> Iterator[Seen]:
    """One for each number that a role has more than once, at its first extra row."""
    for row in rows.unique(["party", "clearing_no"], keep="first", maintain_order=True).iter_rows(named=True):
        place = _place(compared, row["party"], row["line"])
        amount = {f"{row['party']}_fen": row["amount_fen"], f"{row['party']}_status": row["status"]}
        values = place | amount | {"clearing_no": row["clearing_no"], "cause": "duplicate"}
        yield Seen("duplicate", f"{row['party']}:{row['clearing_no']}", values)


def _bad_rows(compared: Compared, rows: pl.DataFrame) -> Iterator[Seen]:
    for row in rows.iter_rows(named=True):
        place = _place(compared, row["party"], row["line"])
        code, _ = compared.attendance.owner(row["party"], row["line"])
        values = place | {f"{row['party']}_fen": row["amount_fen"], "cause": row["reason"]}
        yield Seen("bad_row", f"{code or row['party']}:{place['line']}", values)


def _place(compared: Compared, role: str, line: int) -> dict[str, Any]:
    code, own_line = compared.attendance.owner(role, line)
    place: dict[str, Any] = {"role": role, "line": own_line}
    if code is not None:
        place[f"{role}_id"] = compared.attendance.ids[code]
    return place
