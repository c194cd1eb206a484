"""The ceiling: the rows that a registration must leave, by two statements a batch and nothing else.

The entry's two moves, the patient's number, the notice, its task, and an audit entry of each move and of the read. No
person is opened, nothing is sealed, asked or checked: what PostgreSQL alone takes for these rows and their indexes.
"""

from __future__ import annotations

from typing import LiteralString
from uuid import UUID

import psycopg

from app.core.ids import new_id
from bench.ground import libpq

_BEGIN: LiteralString = """
WITH moved AS (
    UPDATE registration SET status = 'registering', status_since = clock_timestamp() WHERE id = ANY(%(ids)s)
    RETURNING id, person_id)
INSERT INTO audit_entry (actor_kind, actor_id, request_id, action, subject_type, subject_id, from_status, to_status,
                         detail)
SELECT 'system', 'worker', '', action, subject_type, subject_id, from_status, to_status, CAST(detail AS jsonb) FROM (
    SELECT 'registration.begin', 'registration', id, 'queued', 'registering', '{}' FROM moved
    UNION ALL SELECT 'read.person', 'person', person_id, NULL, NULL, '{"why": "registration with the hospital"}'
    FROM moved
) AS e(action, subject_type, subject_id, from_status, to_status, detail)
"""
_END: LiteralString = """
WITH moved AS (
    UPDATE registration SET status = 'registered', status_since = clock_timestamp(), left_at = clock_timestamp()
    WHERE id = ANY(%(ids)s) RETURNING id, hospital_id, person_id, account_id, no),
numbers AS (
    INSERT INTO patient_number (hospital_id, patient_no, person_id, pull_id, awaited_since)
    SELECT hospital_id, 'P' || substr(no, 3, 12), person_id, %(pull)s, clock_timestamp() FROM moved),
told AS (
    INSERT INTO notice (id, account_id, person_id, channel, template, subject, dedupe, content_sealed, tries, status,
                        status_since)
    SELECT uuidv7(), account_id, person_id, 'wechat', 'registered', id, 'registered:' || id, repeat('s', 80), 0,
           'pending', clock_timestamp() FROM moved RETURNING id),
tasks AS (
    INSERT INTO task (kind, subject, args) SELECT 'notification.deliver', id, '{}' FROM told)
INSERT INTO audit_entry (actor_kind, actor_id, request_id, action, subject_type, subject_id, from_status, to_status,
                         detail)
SELECT 'system', 'worker', '', action, subject_type, subject_id, from_status, to_status, CAST(detail AS jsonb) FROM (
    SELECT 'registration.register', 'registration', id, 'registering', 'registered', '{}' FROM moved
    UNION ALL SELECT 'patient_number.set', 'person', person_id, NULL, NULL,
                     '{"hospital": "' || hospital_id || '"}' FROM moved
    UNION ALL SELECT 'notice.start', 'notice', id, NULL, 'pending', '{}' FROM told
) AS e(action, subject_type, subject_id, from_status, to_status, detail)
"""
_WAITING = "SELECT id FROM registration WHERE hospital_id = %s AND left_at IS NULL ORDER BY line_no"


def register_all(database_url: str, hospital_id: UUID, batch: int) -> int:
    """Whoever waits in the hospital's line has all rows of a registration; how many."""
    with psycopg.connect(libpq(database_url)) as db:
        ids = [row[0] for row in db.execute(_WAITING, (hospital_id,))]
        db.commit()
        for first in range(0, len(ids), batch):
            some = {"ids": ids[first : first + batch], "pull": new_id()}
            for statement in (_BEGIN, _END):
                db.execute(statement, some)
                db.commit()
    return len(ids)
