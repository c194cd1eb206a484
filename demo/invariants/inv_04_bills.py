"""4. A bill's lines add up to it and its parts too, or it is refused with the right reason; nobody gets more than the
patient bore, over all claims of a bill, also after the hospital has amended it; a decision adds up to the fen with its
ratio.

The reason is worked out anew from the lines; what was approved is read from the decisions, and at the insurers. A
clearing row keeps the amount that the insurer has booked, whatever becomes of the bill later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from demo.invariants.inv_04_amended import check_amended
from demo.invariants.scene import Row, Scene

# round() of a numeric rounds halves away from zero: 四舍五入.
_BILLS = """
SELECT b.key, h.code AS hospital, b.state, b.total_fen, b.fund_fen, b.account_fen, b.self_pay_fen, b.lines_fen,
       b.refused_reason, coalesce(sum(l.amount_fen), 0) AS sum_fen,
       coalesce(bool_and(abs(round(l.unit_price * l.quantity * 100) - l.amount_fen) <= 1), true) AS lines_right,
       coalesce(bool_and(l.hospital_id = b.hospital_id), true) AS lines_own
FROM bill b JOIN party h ON h.id = b.hospital_id LEFT JOIN fee_line l ON l.bill_id = b.id
GROUP BY b.id, h.code ORDER BY h.code, b.key
"""
_CLAIMED = """
SELECT b.key, h.code AS hospital, b.total_fen - b.fund_fen AS borne_fen,
       sum(CASE WHEN r.live THEN coalesce(r.approved_fen, 0) - r.lost_fen ELSE coalesce(x.due_fen, 0) END)
           AS approved_fen,
       array_agg(r.clearing_no) AS numbers
FROM claim_bill r JOIN bill b ON b.id = r.bill_id JOIN party h ON h.id = b.hospital_id
LEFT JOIN recovery x ON x.clearing_no = r.clearing_no AND x.status IN ('open', 'written_off')
                    AND x.reason <> 'bill_amended'
WHERE r.kind = 'pay' AND b.refused_reason IS NULL GROUP BY b.id, h.code
"""
_ROWS = """
SELECT r.clearing_no, r.borne_fen, r.approved_fen, r.lost_fen, r.payable_fen, r.live, i.code AS insurer,
       c.no AS claim_no, b.total_fen - b.fund_fen AS bill_borne_fen, b.state,
       (SELECT coalesce(sum(l.approved_fen), 0) FROM decision_line l WHERE l.clearing_no = r.clearing_no
        AND l.decision_id = (SELECT d.id FROM decision d WHERE d.claim_id = c.id
                             ORDER BY d.decided_at DESC, d.id DESC LIMIT 1)) AS decided_fen,
       EXISTS (SELECT 1 FROM decision d WHERE d.claim_id = c.id) AS decided
FROM claim_bill r JOIN claim c ON c.id = r.claim_id JOIN bill b ON b.id = r.bill_id JOIN party i ON i.id = r.insurer_id
WHERE r.kind = 'pay' ORDER BY r.clearing_no
"""
_DECISIONS = """
SELECT d.decision_no, c.no AS claim_no, d.approved_fen, coalesce(sum(l.approved_fen), 0) AS lines_fen
FROM decision d JOIN claim c ON c.id = d.claim_id LEFT JOIN decision_line l ON l.decision_id = d.id
GROUP BY d.id, c.no
"""


# (covered - deductible) x ratio less the caps, rounded half up: each line for itself, or once for the bill and then no
# line a whole fen beside it. round() of a numeric rounds halves away from zero.
_RATIO = """
SELECT d.decision_no, c.no AS claim_no, l.clearing_no, array_agg(l.line_no ORDER BY l.line_no) AS lines,
       sum(l.approved_fen + l.cap_fen) AS said_fen, round(sum(l.exact)) AS right_fen,
       bool_and(l.approved_fen + l.cap_fen = round(l.exact)) AS each_right,
       bool_and(abs(l.approved_fen + l.cap_fen - l.exact) < 1) AS each_near,
       bool_and(CASE WHEN l.billed_fen < 0 THEN l.billed_fen <= l.covered_fen AND l.covered_fen <= 0
                     ELSE 0 <= l.deductible_fen AND l.deductible_fen <= l.covered_fen AND l.covered_fen <= l.billed_fen
                          AND l.cap_fen >= 0 AND l.approved_fen >= 0 END) AS never_grows
FROM (SELECT *, (covered_fen - deductible_fen) * ratio AS exact FROM decision_line) l
JOIN decision d ON d.id = l.decision_id JOIN claim c ON c.id = d.claim_id
GROUP BY d.id, c.no, l.clearing_no ORDER BY c.no, d.decision_no, l.clearing_no
"""


def check(scene: Scene) -> list[str]:
    rows = scene.rows(_ROWS)
    found = [*_bills(scene), *_claimed(scene), *_rows(rows, _booked(scene)), *check_amended(scene)]
    found += [*_decisions(scene), *_ratios(scene)]
    return [*found, *_at_insurers(scene, rows)]


def reason(bill: Mapping[str, int | str | bool | None]) -> str | None:
    """Why a bill cannot be used; None if it balances. Before it is settled its parts are not known."""
    parts_fen = sum(int(bill[name] or 0) for name in ("fund_fen", "account_fen", "self_pay_fen"))
    if bill["state"] != "unsettled" and parts_fen != bill["total_fen"]:
        return "parts_do_not_add_up"
    if bill["sum_fen"] != bill["total_fen"]:
        return "lines_do_not_add_up"
    return None if bill["lines_right"] else "line_amount_wrong"


def _bills(scene: Scene) -> Iterator[str]:
    for bill in scene.rows(_BILLS):
        name = f"bill {bill['hospital']}/{bill['key']}"
        if bill["lines_fen"] != bill["sum_fen"]:
            yield f"{name}: its lines are {bill['sum_fen']} fen, {bill['lines_fen']} are noted"
        if not bill["lines_own"]:
            yield f"{name}: a line of it is another hospital's"
        right = reason(bill)
        if bill["refused_reason"] != right:
            yield f"{name}: refused for {bill['refused_reason']}, should be {right}"


def _claimed(scene: Scene) -> Iterator[str]:
    for row in scene.rows(_CLAIMED):
        if row["approved_fen"] > row["borne_fen"]:
            yield (
                f"bill {row['hospital']}/{row['key']}: {row['approved_fen']} fen approved under "
                f"{', '.join(sorted(row['numbers']))}, {row['borne_fen']} borne by the patient"
            )


def _booked(scene: Scene) -> dict[str, int]:
    """Fen by clearing number, as the insurers have it in their books."""
    tables = [scene.state(insurer["code"], "books") for insurer in scene.insurers()]
    return {number: row["amount_fen"] for table in tables for number, row in table.items()}


def _rows(rows: list[Row], booked: Mapping[str, int]) -> Iterator[str]:
    for row in rows:
        right = (row["bill_borne_fen"], booked.get(row["clearing_no"]))
        if row["state"] == "settled" and row["live"] and row["borne_fen"] not in right:
            yield f"clearing row {row['clearing_no']}: borne {row['borne_fen']} fen, its bill {row['bill_borne_fen']}"
        if row["decided"] and row["approved_fen"] != row["decided_fen"]:
            yield f"clearing row {row['clearing_no']}: approved {row['approved_fen']} fen, decided {row['decided_fen']}"
        kept_fen = row["decided_fen"] - row["lost_fen"] if row["live"] else 0
        if row["payable_fen"] > kept_fen:
            why = f"decided {row['decided_fen']}, lost {row['lost_fen']}"
            yield f"clearing row {row['clearing_no']}: {row['payable_fen']} fen payable, {why}"


def _ratios(scene: Scene) -> Iterator[str]:
    for row in scene.rows(_RATIO):
        rounded = row["each_right"] or (row["each_near"] and row["said_fen"] == row["right_fen"])
        if not (rounded and row["never_grows"]):
            yield (
                f"decision {row['decision_no']} of {row['claim_no']}, lines {row['lines']} of {row['clearing_no']}: "
                f"{row['said_fen']} fen before caps, covered less deductible by the ratio is {row['right_fen']}"
            )


def _decisions(scene: Scene) -> Iterator[str]:
    for row in scene.rows(_DECISIONS):
        if row["approved_fen"] != row["lines_fen"]:
            yield (
                f"decision {row['decision_no']} of {row['claim_no']}: approved {row['approved_fen']} fen, "
                f"its lines {row['lines_fen']}"
            )


def _at_insurers(scene: Scene, rows: list[Row]) -> Iterator[str]:
    """The decision that stands at the insurer, bill by bill, against ours."""
    for insurer in scene.insurers():
        approved: dict[str, int] = defaultdict(int)
        decided = set()
        for case in scene.state(insurer["code"], "cases").values():
            if case["decisions"]:
                decided.add(case["claim_no"])
                for line in case["decisions"][-1]["lines"]:
                    approved[line["clearing_no"]] += line["approved_fen"]
        for row in rows if scene.finished and scene.has(insurer["code"]) else ():
            ours, theirs = row["approved_fen"] or 0, approved[row["clearing_no"]]
            if row["insurer"] == insurer["code"] and row["claim_no"] in decided and ours != theirs:
                yield f"clearing row {row['clearing_no']}: approved {ours} fen here, {theirs} at {insurer['code']}"
