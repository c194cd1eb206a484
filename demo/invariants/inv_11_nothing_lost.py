"""11. Nothing that was accepted is lost: it has come to an end, or somebody named has to act.

First the platform's own intentions: tasks, commands, batches, requests and every row with a state. Then what the
partners did: whatever they answered as done is done here too (`inv_11_partners`).
"""

from __future__ import annotations

from collections.abc import Iterator

from demo.invariants.inv_11_partners import check_partners
from demo.invariants.scene import Scene

_TASKS = """
SELECT id, kind, status, tries, last_error, lease, extract(epoch FROM clock_timestamp() - run_at) AS late_s
FROM task WHERE status <> 'due' OR (run_at < clock_timestamp() - make_interval(secs => %(patience)s))
ORDER BY id
"""
# A lease is a lock that its worker holds; one that nobody holds any more belongs to a worker that has died.
_LEFT_LEASES = """
SELECT t.id, t.kind FROM task t WHERE t.lease IS NOT NULL AND t.status = 'due' AND t.lease NOT IN (
    SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND granted AND classid = 23120
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""
# What is still under way although the day is over; {table: rows whose state says that somebody's program must act}.
_UNDER_WAY = """
SELECT 'command ' || c.kind || ' ' || c.id AS what, c.status, c.created_at AS since FROM command c
WHERE c.status IN ('open', 'fetched')
UNION ALL
SELECT 'batch ' || p.code || '/' || b.batch_no, b.status, b.status_since FROM batch b
JOIN partner p ON p.id = b.partner_id WHERE b.status IN ('received', 'checked')
UNION ALL
SELECT 'data request ' || request_no, status, status_since FROM data_request WHERE status IN ('open', 'fetched')
UNION ALL
SELECT 'binding ' || id, status, status_since FROM binding WHERE status = 'pending'
UNION ALL
SELECT 'appointment ' || a.no, a.status, a.status_since FROM appointment a
LEFT JOIN payment_order o ON o.id = a.payment_order_id
WHERE a.status = 'pending' AND coalesce(o.status, 'paid') = 'paid'
UNION ALL
SELECT 'waiting entry ' || id, status, status_since FROM waiting_entry
WHERE status = 'offered' AND offer_until < clock_timestamp()
UNION ALL
SELECT 'registration ' || no, status, status_since FROM registration WHERE status IN ('queued', 'registering')
UNION ALL
SELECT 'settlement ' || s.no, s.status, s.status_since FROM settlement s
WHERE s.status IN ('created', 'trial_waiting', 'trialling', 'settled')
   OR (s.status = 'settling' AND s.self_pay_part <> 'pending')
UNION ALL
SELECT 'payment order ' || out_trade_no, status, status_since FROM payment_order WHERE status = 'created'
UNION ALL
SELECT 'refund ' || out_refund_no, status, status_since FROM refund WHERE status IN ('created', 'unknown', 'processing')
UNION ALL
SELECT 'claim ' || no, status, status_since FROM claim WHERE status IN
    ('submitted', 'assembling', 'verifying', 'verified', 'delivering', 'adjudicating', 'appealed')
UNION ALL
SELECT 'claim ' || c.no, c.status, c.status_since FROM claim c WHERE c.status = 'accepted' AND NOT EXISTS (
    SELECT 1 FROM payout p WHERE p.claim_id = c.id AND p.status IN ('failed', 'cancelled', 'returned'))
UNION ALL
SELECT 'claim ' || c.no, c.status, c.status_since FROM claim c WHERE c.status = 'paying' AND NOT EXISTS (
    SELECT 1 FROM payout p WHERE p.claim_id = c.id
    AND p.status NOT IN ('succeeded', 'failed', 'cancelled', 'returned'))
UNION ALL
SELECT 'payout ' || out_no, status, status_since FROM payout
WHERE status IN ('created', 'approved', 'sending', 'unknown', 'accepted', 'transferring')
UNION ALL
SELECT 'notice ' || template || ' ' || id, status, status_since FROM notice WHERE status IN ('pending', 'retrying')
"""
_HALF_DONE = """
SELECT 'command ' || c.id || ' is answered without an answer' AS what FROM command c
LEFT JOIN command_reply r ON r.id = c.id WHERE c.status = 'answered' AND r.id IS NULL
UNION ALL
SELECT 'command ' || c.id || ' has an answer, but is ' || c.status FROM command c
JOIN command_reply r ON r.id = c.id WHERE c.status <> 'answered'
UNION ALL
SELECT 'idempotency key of ' || principal || ' has no stored answer' FROM idempotency_key WHERE status IS NULL
UNION ALL
SELECT 'appointment ' || a.no || ' is ' || a.status || ', its fee was paid and is not refunded' FROM appointment a
JOIN payment_order o ON o.id = a.payment_order_id
WHERE a.status IN ('refused', 'expired', 'cancelled') AND o.status = 'paid'
  AND NOT EXISTS (SELECT 1 FROM refund r WHERE r.order_id = o.id)
UNION ALL
SELECT 'settlement ' || s.no || ' failed, its self-pay part was paid and is not refunded' FROM settlement s
JOIN payment_order o ON o.id = s.payment_order_id
WHERE s.status IN ('failed', 'reversed') AND o.status = 'paid'
  AND NOT EXISTS (SELECT 1 FROM refund r WHERE r.order_id = o.id)
UNION ALL
SELECT 'batch ' || p.code || '/' || b.batch_no || ': ' || (b.tally ->> 'waiting_parent') || ' rows wait for a parent'
FROM batch b JOIN partner p ON p.id = b.partner_id WHERE coalesce((b.tally ->> 'waiting_parent')::int, 0) > 0
"""
# Batches are numbered without gaps by who pushes them.
_MISSING_BATCHES = """
SELECT p.code, max(b.batch_no) AS last, count(*) AS have FROM batch b JOIN partner p ON p.id = b.partner_id
GROUP BY p.code HAVING max(b.batch_no) <> count(*)
"""


def check(scene: Scene) -> list[str]:
    found = [*_tasks(scene)]
    if scene.finished:
        for row in scene.rows(_UNDER_WAY):
            found.append(f"{row['what']} is still {row['status']} since {row['since']:%H:%M:%S}")
        found += [row["what"] for row in scene.rows(_HALF_DONE)]
        for row in scene.rows(_MISSING_BATCHES):
            found.append(f"{row['code']} pushed batches up to {row['last']}, {row['have']} of them are here")
        found += check_partners(scene)
    return found


def _tasks(scene: Scene) -> Iterator[str]:
    for row in scene.rows(_TASKS, patience=scene.patience_s):
        why = f" ({row['last_error']})" if row["last_error"] else ""
        if row["status"] == "dead":
            yield f"task {row['id']} {row['kind']} is dead after {row['tries']} tries{why}"
        elif scene.finished:
            held = " and held by a worker" if row["lease"] is not None else ""
            yield f"task {row['id']} {row['kind']} has been due for {row['late_s']:.0f} s{held}{why}"
    for row in scene.rows(_LEFT_LEASES) if scene.finished else ():
        yield f"task {row['id']} {row['kind']} is held by a worker that has died"
