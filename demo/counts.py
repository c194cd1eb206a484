"""What happened today, counted in the platform's own tables by plain SQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg

Counts = dict[str, int]
# Each is one SELECT of one number; %(day)s is the business date.
NUMBERS: Mapping[str, str] = {
    "bound": """
        SELECT count(DISTINCT b.person_id) FROM binding b JOIN patient_number n ON n.person_id = b.person_id
        WHERE b.status = 'live'""",
    "appointments": "SELECT count(*) FROM appointment WHERE status IN ('booked', 'attended')",
    "registered": "SELECT count(*) FROM registration WHERE status = 'registered'",
    "throttled": "SELECT count(*) FROM settlement WHERE throttled",
    "encounters_pushed": "SELECT count(*) FROM visit",
    "fee_lines_pushed": "SELECT count(*) FROM fee_line",
    "bills": "SELECT count(*) FROM bill",
    "bills_refused": "SELECT count(*) FROM bill WHERE refused_reason IS NOT NULL",
    "trials": "SELECT count(*) FROM settlement WHERE fund_fen IS NOT NULL",
    "settled": "SELECT count(*) FROM settlement WHERE status IN ('settled', 'synchronised')",
    "payout_fen": "SELECT coalesce(sum(amount_fen), 0) FROM payout WHERE status = 'succeeded'",
    "notices": "SELECT count(*) FROM notice WHERE channel = 'wechat' AND status = 'delivered'",
}
_BY_LATEST_DECISION = """
    SELECT count(*) FROM decision d WHERE d.outcome = ANY(%(outcomes)s)
    AND NOT EXISTS (SELECT FROM decision later WHERE later.claim_id = d.claim_id AND later.supersedes = d.decision_no)
"""
CLAIMS: Mapping[str, str] = {
    "submitted": "SELECT count(*) FROM claim",
    "approved": _BY_LATEST_DECISION.replace("%(outcomes)s", "'{approved,partly}'"),
    "rejected": "SELECT count(*) FROM claim WHERE status = 'rejected'",
    "paid": "SELECT count(*) FROM claim WHERE paid_fen > 0 AND status IN ('paid', 'closed')",
}
CASES: Mapping[str, str] = {
    "partial_approval": _BY_LATEST_DECISION.replace("%(outcomes)s", "'{partly}'"),
    "rejection": "SELECT count(*) FROM claim WHERE status = 'rejected'",
    "not_insured": """
        SELECT count(*) FROM claim WHERE status = 'ineligible' AND reasons @> '[{"code": "not_insured"}]'""",
    "documents_asked": "SELECT count(DISTINCT claim_id) FROM document_request WHERE answered_at IS NOT NULL",
    "line_appeal": """
        SELECT count(*) FROM appeal a WHERE jsonb_array_length(a.lines) > 0
        AND EXISTS (SELECT FROM decision d WHERE d.claim_id = a.claim_id AND d.supersedes IS NOT NULL)""",
    "withdrawal": "SELECT count(*) FROM claim WHERE status = 'withdrawn'",
    "bank_payee": "SELECT count(*) FROM payout WHERE channel = 'bank' AND status = 'succeeded'",
    "wechat_payee": "SELECT count(*) FROM payout WHERE channel = 'wechat' AND status = 'succeeded'",
    "unconfirmed_transfer": "SELECT count(*) FROM payout WHERE status = 'waiting_user_confirm'",
    "counter_visit": """
        SELECT count(*) FROM visit v JOIN patient_number n USING (hospital_id, patient_no)
        WHERE NOT v.booked_in_wechat AND (v.started_at AT TIME ZONE 'Asia/Shanghai')::date = %(day)s""",
    "refund": """
        SELECT count(*) FROM refund r JOIN payment_order o ON o.id = r.order_id
        WHERE o.purpose = 'settlement' AND r.status = 'succeeded'""",
    "reversed_ebill": "SELECT count(*) FROM e_bill WHERE state = 'reversed'",
    "two_policies": """
        SELECT count(*) FROM (
            SELECT r.bill_id FROM claim_bill r JOIN claim c ON c.id = r.claim_id
            WHERE r.live AND r.kind = 'pay' AND c.status NOT IN ('ineligible', 'withdrawn')
            GROUP BY r.bill_id HAVING count(DISTINCT (c.insurer_id, c.policy_no)) > 1) shared""",
    "guardian": "SELECT count(*) FROM binding WHERE status = 'live' AND child",
}


def count(db: psycopg.Connection[Any], questions: Mapping[str, str], day: str) -> Counts:
    """Name -> number for every question."""
    return {name: _one(db, sql, day) for name, sql in questions.items()}


def _one(db: psycopg.Connection[Any], sql: str, day: str) -> int:
    row = db.execute(sql.encode(), {"day": day} if "%(day)s" in sql else None).fetchone()
    assert row is not None
    return int(row[0])
