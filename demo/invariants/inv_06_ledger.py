"""The payouts' double entry, added up anew from its entries."""

from __future__ import annotations

from collections.abc import Iterator

from demo.invariants.scene import Row, Scene

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
   OR (t.kind = 'unrecover' AND NOT EXISTS (SELECT 1 FROM payout p WHERE p.id = t.reference))
   OR (t.kind = 'approve' AND NOT EXISTS (SELECT 1 FROM payout p WHERE p.id = t.reference))
   OR (t.kind = 'unapprove' AND NOT EXISTS (SELECT 1 FROM payout p WHERE p.id = t.reference)
       AND NOT EXISTS (SELECT 1 FROM recovery x WHERE x.id = t.reference))
   OR (t.kind IN ('recover', 'repay', 'write_off') AND NOT EXISTS (SELECT 1 FROM recovery x WHERE x.id = t.reference))
"""
# What each claim has in the books about its payouts and recoveries, by account, debit positive.
_OF_CLAIMS = """
SELECT c.no, coalesce(sum(e.amount_fen) FILTER (WHERE t.kind IN ('approve', 'unapprove') AND a.kind = 'expense'), 0)
           AS approved_fen,
       coalesce(sum(e.amount_fen) FILTER (WHERE a.kind = 'receivable'), 0) AS receivable_fen,
       coalesce(sum(e.amount_fen) FILTER (WHERE a.kind = 'collected'), 0) AS collected_fen,
       coalesce(sum(e.amount_fen) FILTER (WHERE t.kind = 'write_off' AND a.kind = 'expense'), 0) AS written_off_fen,
       (SELECT coalesce(sum(p.amount_fen), 0) FROM payout p WHERE p.claim_id = c.id
        AND p.status NOT IN ('failed', 'cancelled', 'returned')) AS bound_fen,
       (SELECT coalesce(sum(r.payable_fen), 0) FROM claim_bill r WHERE r.claim_id = c.id AND r.kind = 'pay')
       + (SELECT coalesce(sum(x.due_fen), 0) FROM recovery x WHERE x.claim_id = c.id
          AND x.status IN ('open', 'repaid', 'written_off')) AS ceiling_fen,
       (SELECT coalesce(sum(x.due_fen), 0) FROM recovery x WHERE x.claim_id = c.id AND x.status = 'open') AS open_fen,
       (SELECT coalesce(sum(x.due_fen), 0) FROM recovery x WHERE x.claim_id = c.id AND x.status = 'repaid')
           AS repaid_fen,
       (SELECT coalesce(sum(x.due_fen), 0) FROM recovery x WHERE x.claim_id = c.id AND x.status = 'written_off')
           AS lost_fen
FROM claim c
JOIN (SELECT id AS reference, claim_id FROM payout UNION ALL SELECT id, claim_id FROM recovery) about
    ON about.claim_id = c.id
LEFT JOIN ledger_transaction t ON t.reference = about.reference
LEFT JOIN ledger_entry e ON e.transaction_id = t.id LEFT JOIN ledger_account a ON a.id = e.account_id
GROUP BY c.id ORDER BY c.no
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
    for row in scene.rows(_OF_CLAIMS):
        yield from _of_claim(row)
    for row in scene.rows(_BALANCES):
        if row["balance_fen"] != row["right_fen"]:
            yield f"ledger account {row['code']}/{row['kind']}: {row['balance_fen']} fen, should be {row['right_fen']}"


def _of_claim(row: Row) -> Iterator[str]:
    """What is booked as owed to the patient covers what moves, and is no more than may; recoveries stand as booked."""
    if not row["bound_fen"] <= row["approved_fen"] <= max(row["ceiling_fen"], row["bound_fen"]):
        may = f"{row['bound_fen']} paid or on the way, {row['ceiling_fen']} payable or recovered"
        yield f"claim {row['no']}: {row['approved_fen']} fen booked as approved, {may}"
    for booked, right, what in (
        ("receivable_fen", "open_fen", "receivable"),
        ("collected_fen", "repaid_fen", "collected"),
        ("written_off_fen", "lost_fen", "written off"),
    ):
        if row[booked] != row[right]:
            yield f"claim {row['no']}: {row[booked]} fen booked as {what}, its recoveries say {row[right]}"
