"""1. Slots sold never exceed capacity; a person holds at most one live appointment for a slot.

Told twice: by the platform's own counts, and by the hospital's booking table, which it keeps for itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from demo.invariants.scene import Row, Scene

# Whoever came, or did not, has had the place; the other ends of an appointment give it back.
_HOLDING = ("pending", "booked", "attended", "no_show")
_SLOTS = """
SELECT s.key, h.code AS hospital, s.capacity, s.taken, s.allotment,
  (SELECT count(*) FROM appointment a WHERE a.slot_id = s.id AND a.status = ANY(%(holding)s))
  + (SELECT count(*) FROM waiting_entry w WHERE w.offered_slot_id = s.id AND w.status = 'offered') AS held
FROM slot s JOIN party h ON h.id = s.hospital_id ORDER BY h.code, s.key
"""
# A place is offered in the order of joining: nobody who joined later has been offered one while an earlier one waits,
# unless the earlier one holds a place of this slot already, waits again after a stopped clinic, or may have held as
# many places as a person or an account may.
_PER_PERSON, _PER_ACCOUNT = 5, 20
_OVERTAKEN = """
WITH place AS (SELECT person_id, account_id FROM appointment UNION ALL
  SELECT person_id, account_id FROM waiting_entry WHERE offered_slot_id IS NOT NULL AND appointment_id IS NULL)
SELECT s.key, h.code AS hospital, first.line_no AS waits, next.line_no AS offered
FROM waiting_entry first JOIN waiting_entry next
  ON next.slot_id = first.slot_id AND next.line_no > first.line_no AND next.status IN ('offered', 'taken', 'lapsed')
JOIN slot s ON s.id = first.slot_id JOIN party h ON h.id = s.hospital_id
WHERE first.status = 'waiting' AND NOT EXISTS (SELECT 1 FROM appointment a WHERE a.slot_id = s.id
  AND a.person_id = first.person_id AND a.status = ANY(%(holding)s))
AND (SELECT count(*) FROM place p WHERE p.person_id = first.person_id) < %(per_person)s
AND (SELECT count(*) FROM place p WHERE p.account_id = first.account_id) < %(per_account)s
ORDER BY h.code, s.key, first.line_no, next.line_no
"""
_TWICE = """
SELECT s.key, h.code AS hospital, array_agg(a.no ORDER BY a.no) AS numbers
FROM appointment a JOIN slot s ON s.id = a.slot_id JOIN party h ON h.id = s.hospital_id
WHERE a.status IN ('pending', 'booked')
GROUP BY a.person_id, s.id, h.code HAVING count(*) > 1
"""
_OURS = """
SELECT a.no, a.status, s.key FROM appointment a JOIN slot s ON s.id = a.slot_id
JOIN party h ON h.id = a.hospital_id WHERE h.code = %(code)s
"""
# The hospital's booking table (gh_hy: slots, gh_yy: appointments; zt 1 booked, 2 attended, 9 cancelled).
_HIS_SLOTS = """
SELECT h.hyid AS key, h.xhs AS capacity, h.yghs AS taken, count(y.yyh) FILTER (WHERE y.zt <> '9') AS held
FROM gh_hy h LEFT JOIN gh_yy y USING (hyid) GROUP BY h.hyid
"""
_HIS_BOOKED = "SELECT yyh AS no, hyid AS key FROM gh_yy WHERE zt <> '9'"


def check(scene: Scene) -> list[str]:
    slots = scene.rows(_SLOTS, holding=list(_HOLDING))
    found = list(_oversold("slot", slots))
    for row in slots:
        if row["capacity"] > max(row["allotment"], row["taken"]):
            found.append(f"slot {_name(row)}: {row['capacity']} places are offered, {row['allotment']} allotted")
    limits = {"per_person": _PER_PERSON, "per_account": _PER_ACCOUNT}
    for row in scene.rows(_OVERTAKEN, holding=list(_HOLDING), **limits):
        found.append(f"waiting for slot {_name(row)}: {row['offered']} was offered a place before {row['waits']}")
    for row in scene.rows(_TWICE):
        found.append(f"one person holds appointments {', '.join(row['numbers'])} for slot {_name(row)}")
    for hospital in scene.hospitals():
        found += _at_hospital(scene, hospital)
    return found


def _oversold(what: str, rows: Iterable[Row]) -> Iterator[str]:
    for row in rows:
        if row["taken"] > row["capacity"]:
            yield f"{what} {_name(row)}: {row['taken']} taken of {row['capacity']}"
        if row["taken"] != row["held"]:
            yield f"{what} {_name(row)}: {row['taken']} taken, but {row['held']} appointments hold a place"


def _at_hospital(scene: Scene, hospital: Mapping[str, str]) -> Iterator[str]:
    code = hospital["code"]
    slots = scene.his_rows(hospital, _HIS_SLOTS)
    yield from _oversold(f"{code}'s own slot", slots)
    if not slots:
        return
    ours = {row["no"]: row for row in scene.rows(_OURS, code=code)}
    theirs = {row["no"]: row["key"] for row in scene.his_rows(hospital, _HIS_BOOKED)}
    for no, row in ours.items():
        if row["status"] in ("booked", "attended") and theirs.get(no) != row["key"]:
            yield f"appointment {no} is {row['status']} here, but {code} holds no place for it"
    for no in theirs if scene.finished else ():
        status = ours[no]["status"] if no in ours else "unknown"
        if status not in _HOLDING:
            yield f"appointment {no} is {status} here, but {code} still holds a place for it"


def _name(row: Row) -> str:
    return f"{row['hospital']}/{row['key']}" if "hospital" in row else str(row["key"])
