"""5. One e-bill is in at most one live claim per policy and belongs to one bill of a hospital, in all claims of
whatever hospital the same; a reversed e-bill is in none.

Whether it is reversed is asked of the hospital's own e-bill table too. What is reversed after the decision is a
recovery, and its row in the claim lives no longer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from demo.invariants.scene import Scene

_ENDED = ("ineligible", "withdrawn")
_TWICE = """
SELECT e.code, e.number, i.code AS insurer, c.policy_no, array_agg(DISTINCT c.no) AS claims
FROM claim_bill r JOIN claim c ON c.id = r.claim_id JOIN e_bill e ON e.bill_id = r.bill_id
JOIN party i ON i.id = c.insurer_id
WHERE r.kind = 'pay' AND c.status <> ALL(%(ended)s) AND c.policy_no IS NOT NULL
GROUP BY e.code, e.number, i.code, c.policy_no HAVING count(DISTINCT c.id) > 1
"""
_BILLS = """
SELECT e.code, e.number, array_agg(DISTINCT h.code || ' ' || b.key) AS bills FROM {table} e
JOIN bill b ON b.id = e.bill_id JOIN party h ON h.id = b.hospital_id
GROUP BY e.code, e.number{among} HAVING count(DISTINCT e.bill_id) > 1
"""
_HELD = """
SELECT e.code, e.number, e.state, h.code AS hospital, array_agg(DISTINCT c.no) AS claims
FROM claim_bill r JOIN claim c ON c.id = r.claim_id JOIN e_bill e ON e.bill_id = r.bill_id
JOIN party h ON h.id = e.hospital_id
WHERE r.kind = 'pay' AND r.live AND c.status <> ALL(%(ended)s) AND NOT EXISTS (
    SELECT 1 FROM e_bill newer WHERE newer.bill_id = e.bill_id AND newer.state = 'issued' AND newer.id <> e.id)
GROUP BY e.id, h.code
"""
_GUARDS = """
SELECT g.code, g.number, c.no AS claim_no, c.status FROM e_bill_guard g JOIN claim c ON c.id = g.claim_id
WHERE c.status = ANY(%(ended)s)
"""
_LIVE_FLAG = """
SELECT r.clearing_no, c.no AS claim_no, c.status, r.live FROM claim_bill r JOIN claim c ON c.id = r.claim_id
WHERE r.kind = 'pay' AND r.live = (c.status = ANY(%(ended)s)
    OR EXISTS (SELECT 1 FROM recovery x WHERE x.clearing_no = r.clearing_no AND x.reason <> 'bill_amended'))
"""
# The hospital's e-bill platform (sf_dzpj): zt 2 is reversed (红冲).
_HIS_REVERSED = "SELECT pjdm AS code, pjhm AS number FROM sf_dzpj WHERE zt = '2'"


def check(scene: Scene) -> list[str]:
    found = []
    for row in scene.rows(_TWICE, ended=list(_ENDED)):
        claims = ", ".join(row["claims"])
        found.append(f"e-bill {_name(row)} is in {claims} under policy {row['policy_no']} of {row['insurer']}")
    for table, among, verb in (("e_bill", ", h.id", "belongs to"), ("e_bill_guard", "", "is claimed with")):
        for row in scene.rows(_BILLS.format(table=table, among=among)):
            found.append(f"e-bill {_name(row)} {verb} {', '.join(row['bills'])}")
    found += _reversed(scene)
    for row in scene.rows(_GUARDS, ended=list(_ENDED)):
        found.append(f"e-bill {_name(row)} is held by {row['claim_no']}, which is {row['status']}")
    for row in scene.rows(_LIVE_FLAG, ended=list(_ENDED)):
        state = "live" if row["live"] else "not live"
        found.append(f"clearing row {row['clearing_no']} is {state} in {row['claim_no']}, which is {row['status']}")
    return found


def _reversed(scene: Scene) -> Iterator[str]:
    theirs = {}
    for hospital in scene.hospitals() if scene.finished else ():
        rows = scene.his_rows(hospital, _HIS_REVERSED)
        theirs[hospital["code"]] = {(row["code"], row["number"]) for row in rows}
    for row in scene.rows(_HELD, ended=[*_ENDED, "closed"]):
        claims = ", ".join(row["claims"])
        if row["state"] == "reversed":
            yield f"e-bill {_name(row)} is reversed and in {claims}"
        elif (row["code"], row["number"]) in theirs.get(row["hospital"], ()):
            yield f"e-bill {_name(row)} is reversed at {row['hospital']}, not here, and in {claims}"


def _name(row: Mapping[str, Any]) -> str:
    return f"{row['code']}/{row['number']}"
