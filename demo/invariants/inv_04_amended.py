"""4, of bills that the hospital has amended: a claim keeps no more of its decision than the bill carries now."""

from __future__ import annotations

from collections.abc import Iterator

from demo.invariants.scene import Scene

# Bills that were only lowered, line by line: of each line the covered share of what has gone is lost, by its ratio.
# A new or a grown line may be another's in a new place, so bills with one are left to the sums.
_CARRIED = """
SELECT r.clearing_no, r.approved_fen - r.lost_fen AS kept_fen,
       greatest(0, floor(0.5 + sum(d.approved_fen + d.cap_fen - coalesce(d.covered_fen * d.ratio
           * greatest(0, d.billed_fen - coalesce(l.amount_fen, 0)) / nullif(d.billed_fen, 0), 0)))) AS carried_fen
FROM claim_bill r JOIN bill b ON b.id = r.bill_id AND b.state = 'settled' AND b.refused_reason IS NULL
JOIN decision_line d ON d.clearing_no = r.clearing_no AND d.decision_id = (
    SELECT x.id FROM decision x WHERE x.claim_id = r.claim_id ORDER BY x.decided_at DESC, x.id DESC LIMIT 1)
LEFT JOIN fee_line l ON l.bill_id = r.bill_id AND l.line_no = d.line_no AND l.quantity <> 0
WHERE r.kind = 'pay' AND r.live AND NOT EXISTS (
    SELECT 1 FROM fee_line n LEFT JOIN decision_line m
        ON m.decision_id = d.decision_id AND m.clearing_no = r.clearing_no AND m.line_no = n.line_no
    WHERE n.bill_id = r.bill_id AND (m.id IS NULL OR n.amount_fen > m.billed_fen))
GROUP BY r.id ORDER BY r.clearing_no
"""


def check_amended(scene: Scene) -> Iterator[str]:
    for row in scene.rows(_CARRIED):
        if row["kept_fen"] > row["carried_fen"]:
            kept, carried = row["kept_fen"], row["carried_fen"]
            yield f"clearing row {row['clearing_no']}: keeps {kept} fen, its bill carries {carried}"
