"""7. A partner's message applied twice changes nothing; applied late it never moves a state backwards.

What was sent, and how often, is read from the senders' own books. That a state only ever made moves that its machine
knows, each from where the last one had left it, is read from the audit trail.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from demo.invariants.histories import histories
from demo.invariants.machines import MACHINES, may_move
from demo.invariants.scene import Scene

_INBOX = """
SELECT p.code AS partner, i.message_id, i.answer ->> 'message_id' AS effect
FROM inbox_message i JOIN partner p ON p.id = i.partner_id
"""
_MESSAGES = "SELECT m.id::text AS id, m.type, p.code AS partner FROM message m JOIN partner p ON p.id = m.partner_id"
_PAY = "SELECT mchid, notification_id, count(*) AS times FROM pay_notification GROUP BY mchid, notification_id"
_EFFECTS = """
SELECT 'decision ' || d.decision_no || ' of claim ' || c.no AS what, count(*) AS times
FROM decision d JOIN claim c ON c.id = d.claim_id GROUP BY d.decision_no, c.no HAVING count(*) > 1
UNION ALL
SELECT 'document request ' || r.request_no || ' of claim ' || c.no, count(*)
FROM document_request r JOIN claim c ON c.id = r.claim_id GROUP BY r.request_no, c.no HAVING count(*) > 1
UNION ALL
SELECT 'notice ' || dedupe, count(*) FROM notice GROUP BY dedupe HAVING count(*) > 1
"""


def check(scene: Scene) -> list[str]:
    found = [*_states(scene), *_inbox(scene), *_payments(scene)]
    found += [f"{row['what']} is there {row['times']} times" for row in scene.rows(_EFFECTS)]
    return found


def _states(scene: Scene) -> Iterator[str]:
    for (table, row_id), history in histories(scene).items():
        if table not in MACHINES:
            yield f"{table} {row_id} changes its state, but nobody has written down how it may"
            continue
        last = None
        for change in history:
            before, after = change["from_status"], change["to_status"]
            if before != last:
                yield f"{table} {row_id} went from {before} to {after}, but was {last} (audit entry {change['id']})"
            elif not may_move(table, before, after):
                yield f"{table} {row_id} moved from {before} to {after} (audit entry {change['id']})"
            last = after


def _inbox(scene: Scene) -> Iterator[str]:
    """Each id that a partner sent stands in the inbox once, and what it led to is there once."""
    inbox = scene.rows(_INBOX)
    effects = Counter((row["partner"], row["effect"]) for row in inbox if row["effect"])
    messages = scene.rows(_MESSAGES)
    for row in messages:
        times = effects.pop((row["partner"], row["id"]), 0)
        if times != 1:
            yield f"message {row['id']} ({row['type']}) is the effect of {times} received ids"
    for (_, effect), _times in effects.items():
        yield f"message {effect} was accepted, but is not there"
    known = {(row["partner"], row["message_id"]) for row in inbox}
    for code, partner in _senders(scene):
        for row in scene.state(code, "sent").values():
            if (partner, row["message_id"]) not in known:
                yield f"{code}'s message {row['message_id']} ({row['type']}) was taken, but is not in the inbox"


def _senders(scene: Scene) -> Iterator[tuple[str, str]]:
    for party in (*scene.insurers(), scene.world["bank"]):
        yield party["code"], party["partner"]


def _payments(scene: Scene) -> Iterator[str]:
    """WeChat Pay's notifications, by the id that stays the same however often one is sent."""
    ours = {(row["mchid"], row["notification_id"]): row["times"] for row in scene.rows(_PAY)}
    for (_, number), times in ours.items():
        if times > 1:
            yield f"WeChat Pay's notification {number} was applied {times} times"
    for push in scene.state("wechat", "push").values():
        if push["kind"] != "pay" or push["state"] != "taken":
            continue
        body: dict[str, Any] = json.loads(push["content"]["body"])
        if (push["owner"], body["id"]) not in ours:
            yield f"WeChat Pay's notification {body['id']} ({push['topic']}) was taken, but is not kept"
