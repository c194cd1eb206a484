"""The hospital's own books altered on purpose, so that the night has something to find."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from mock_partners import books
from mock_partners.books import Alteration, Words
from mock_partners.his.numbers import to_fen, to_yuan
from mock_partners.his.records import Db, Records

WORDS = Words("settled", "refunded")
_CODES = {"settled": "1", "refunded": "2", "unsettled": "0", "void": "3"}
_STATUS = {code: word for word, code in _CODES.items()}


def alter(records: Records, body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Do what `POST /__mock__/alter` asks, all or nothing; the same body again changes nothing more.

    The HIS knows no clearing numbers, so the body says in `rows` which bill each one stands for. A bill behind several
    numbers is left alone: its entry would alter them all. Raises books.BadInstruction.
    """
    request = books.key_of(body)
    with records.transaction() as db:
        done = [
            row["body"] for row in db.execute("SELECT body FROM mock_altered WHERE sj = %s ORDER BY xh", (request,))
        ]
        if done:
            return done
        bills = _bills(body.get("rows") or ())
        entries = _entries(db, bills)
        for alteration in (alterations := books.plan(entries, body, WORDS)):
            _apply(db, bills, alteration)
            db.execute(
                "INSERT INTO mock_altered (sj, body) VALUES (%s, %s)", (request, json.dumps(alteration.as_json()))
            )
        return [alteration.as_json() for alteration in alterations]


def altered(records: Records) -> list[dict[str, Any]]:
    with records.transaction() as db:
        return [row["body"] for row in db.execute("SELECT body FROM mock_altered ORDER BY xh")]


def _bills(rows: Any) -> dict[str, str]:
    """Clearing number -> bill, for bills behind one number only."""
    count = Counter(row["bill_key"] for row in rows)
    return {row["clearing_no"]: row["bill_key"] for row in rows if count[row["bill_key"]] == 1}


def _entries(db: Db, bills: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The cashier's entries as ledger rows by clearing number."""
    found = db.execute("SELECT jsdh, grzf, zt FROM sf_szz WHERE jsdh = ANY(%s)", (list(bills.values()),)).fetchall()
    by_bill = {row["jsdh"]: row for row in found}
    return {
        number: {
            "clearing_no": number,
            "kind": "pay",
            "original_clearing_no": None,
            "amount_fen": to_fen(by_bill[bill_key]["grzf"]),
            "status": _STATUS[by_bill[bill_key]["zt"]],
        }
        for number, bill_key in bills.items()
        if bill_key in by_bill
    }


def _apply(db: Db, bills: Mapping[str, str], alteration: Alteration) -> None:
    after = alteration.after
    if after is None:
        db.execute("DELETE FROM sf_szz WHERE jsdh = %s", (bills[alteration.clearing_no],))
        return
    amount, status = to_yuan(after["amount_fen"]), _CODES[after["status"]]
    if alteration.before is None:
        db.execute(
            "INSERT INTO gt_lp (qsh, je, zt, ywrq, djsj) VALUES (%s, %s, %s, %s, %s::date + time '16:00')",
            (alteration.clearing_no, amount, status, alteration.business_date, alteration.business_date),
        )
        return
    db.execute("UPDATE sf_szz SET grzf = %s, zt = %s WHERE jsdh = %s", (amount, status, bills[alteration.clearing_no]))
