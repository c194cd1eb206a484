"""The payouts' double entry, added up anew from its entries."""

from __future__ import annotations

from collections.abc import Iterator

from demo.invariants.scene import Scene

_SUMS = """
SELECT t.id, t.kind, count(e.id) AS entries, coalesce(sum(e.amount_fen), 0) AS sum_fen
FROM ledger_transaction t LEFT JOIN ledger_entry e ON e.transaction_id = t.id
GROUP BY t.id HAVING count(e.id) < 2 OR sum(e.amount_fen) <> 0
"""
# What each payout must have in the books: a pay when it ever arrived, a return when it came back, once and in full.
_BOOKED = """
SELECT p.out_no, p.status, p.amount_fen, k.kind, k.wanted, count(DISTINCT t.id) AS transactions,
       coalesce(sum(e.amount_fen) FILTER (WHERE e.amount_fen > 0), 0) AS booked_fen
FROM payout p
CROSS JOIN LATERAL (VALUES ('pay', p.status IN ('succeeded', 'returned')), ('return', p.status = 'returned'))
    AS k (kind, wanted)
LEFT JOIN ledger_transaction t ON t.reference = p.id AND t.kind = k.kind
LEFT JOIN ledger_entry e ON e.transaction_id = t.id
GROUP BY p.id, k.kind, k.wanted
HAVING count(DISTINCT t.id) <> (CASE WHEN k.wanted THEN 1 ELSE 0 END)
    OR (k.wanted AND coalesce(sum(e.amount_fen) FILTER (WHERE e.amount_fen > 0), 0) <> p.amount_fen)
"""
_STRANGERS = """
SELECT t.kind, t.reference FROM ledger_transaction t
WHERE (t.kind IN ('pay', 'return') AND NOT EXISTS (SELECT 1 FROM payout p WHERE p.id = t.reference))
   OR (t.kind = 'approve' AND NOT EXISTS (SELECT 1 FROM claim c WHERE c.id = t.reference))
"""
# The balance of an insurer's money account in our books is what went out and stayed out, debit positive.
_BALANCES = """
SELECT i.code, a.kind, coalesce(sum(e.amount_fen), 0) AS balance_fen,
       -(SELECT coalesce(sum(p.amount_fen), 0) FROM payout p
         WHERE p.insurer_id = a.party_id AND p.channel = a.kind AND p.status = 'succeeded') AS right_fen
FROM ledger_account a JOIN party i ON i.id = a.party_id LEFT JOIN ledger_entry e ON e.account_id = a.id
WHERE a.kind IN ('wechat', 'bank') GROUP BY a.id, i.code
"""


def check_ledger(scene: Scene) -> Iterator[str]:
    for row in scene.rows(_SUMS):
        yield f"ledger transaction {row['kind']} {row['id']}: {row['entries']} entries add up to {row['sum_fen']}"
    for row in scene.rows(_BOOKED):
        booked = f"{row['transactions']} {row['kind']} transactions over {row['booked_fen']} fen"
        yield f"payout {row['out_no']} is {row['status']} over {row['amount_fen']} fen, but the ledger has {booked}"
    for row in scene.rows(_STRANGERS):
        yield f"ledger transaction {row['kind']} of {row['reference']} is about nothing that exists"
    for row in scene.rows(_BALANCES):
        if row["balance_fen"] != row["right_fen"]:
            yield f"ledger account {row['code']}/{row['kind']}: {row['balance_fen']} fen, should be {row['right_fen']}"
