"""The night as it was promised: two hospitals and two insurers, one book that comes late, a worker killed in the
middle, everything run twice; statements, mail, SMS and the work list right, nothing doubled."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from redis import Redis

from mock_partners.mail import Mail
from mock_partners.sms import Sms
from tests.app.kit import value
from tests.app.reconciliation.kit import COMPARISON, DAY, Night, number

ROOT = Path(__file__).resolve().parents[3]
WORKER = """
import sys
from app.core.settings import Settings
from app.core.tasks import Lease
from app.reconciliation import comparison
from app.reconciliation.engine import arrays
from app.wiring import make_gateways, make_runtime
from workers.bell import Bell
from workers.context import Context
from workers.drain import drain_with
from workers.routes import ROUTES
import time

settings = Settings(database_url=sys.argv[1], redis_url=sys.argv[2])
runtime = make_runtime(settings, routes=ROUTES, ring=lambda kinds: None)
def stay(*_):
    print("in the middle", flush=True)
    time.sleep(600)
arrays._differing = stay
lease = Lease(settings.database_url)
drain_with(Context(runtime, make_gateways(settings), Bell(settings.redis_url), lease), "reconciliation.compare_part")
"""


@pytest.fixture
def doomed(night: Night) -> Iterator[subprocess.Popen[str]]:
    """A worker in a process of its own, which stops in the middle of a comparison, its working set in Redis."""
    settings = night.runtime.settings
    command = [sys.executable, "-c", WORKER, settings.database_url, settings.redis_url]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_a_late_book_a_killed_worker_and_everything_twice(
    night: Night, mail: Mail, sms: Sms, fresh_redis_url: str, request: pytest.FixtureRequest
) -> None:
    night.book(range(1, 21))
    night.book(range(21, 31), "H1", "I2")
    night.book(range(31, 41), "H2", "I1")
    night.book(range(41, 46), "H2", "I2")
    night.drop_insurer("I1", number(1))
    night.alter_insurer("I2", number(21), amount_fen=1)
    del night.hospitals["H2"][DAY][number(31)]
    night.insurers["I2"].book.settings.ledger_not_ready = [DAY.isoformat()]

    run_id = night.start()
    night.serve()
    night.drain_all("reconciliation.fetch", "reconciliation.take_batch", "reconciliation.answered")
    assert night.seen(run_id)["status"] == "collecting", "one insurer's book is late"
    night.insurers["I2"].book.settings.ledger_not_ready = []
    night.drain_all("reconciliation.fetch", hurry=True)
    night.drain_all("reconciliation.compare")
    _kill_in_the_middle(request.getfixturevalue("doomed"), fresh_redis_url)
    _until_due(night)
    night.drain_all(*COMPARISON, "reconciliation.report", "notification.deliver", hurry=True)
    first = night.seen(run_id)
    _is_right(night, first)
    told = _told(mail, sms)
    assert told == {
        "finance@example.com": 1, "i1@example.com": 1, "i2@example.com": 1, "13800000001": 1, "13900000001": 2,
    }  # fmt: skip
    with Redis.from_url(fresh_redis_url) as redis:
        assert redis.keys("recon:*") == []

    ids = {name: row.id for name, row in night.differences().items()}
    second = night.run(report=True)
    _is_right(night, second)
    assert (second["attempt"], second["id"] != first["id"]) == (2, True)
    assert {name: row.id for name, row in night.differences().items()} == ids
    assert _told(mail, sms) == told, "the same figures are not sent twice"
    for statement in ("groups", "totals", "sets", "counts"):
        assert second[statement] == first[statement]


def _kill_in_the_middle(worker: subprocess.Popen[str], redis_url: str) -> None:
    assert worker.stdout is not None
    assert worker.stdout.readline() == "in the middle\n"
    with Redis.from_url(redis_url) as redis:
        assert redis.keys("recon:*"), "its working set is there"
    worker.send_signal(signal.SIGKILL)
    worker.wait()


def _until_due(night: Night) -> None:
    """PostgreSQL frees the dead worker's lease as soon as it sees the connection gone."""
    url = night.runtime.settings.database_url.replace("+psycopg", "")
    ends_s = time.monotonic() + 20
    with psycopg.connect(url, autocommit=True) as connection:
        query = "SELECT count(*) FROM pg_locks l JOIN task t ON t.lease = l.objid::bigint WHERE locktype = 'advisory'"
        while connection.execute(query).fetchone() != (0,):
            assert time.monotonic() < ends_s
            time.sleep(0.05)


def _is_right(night: Night, seen: dict[str, Any]) -> None:
    assert seen["status"] == "differences"
    assert seen["sets"] == {"111": 43, "110": 1, "101": 0, "100": 0, "011": 1, "010": 0, "001": 0}
    assert (seen["amount_differs"], seen["status_differs"]) == (1, 0)
    groups = {(one["hospital"], one["insurer"]): one["totals"]["three_party"] for one in seen["groups"]}
    counts = {name: (total["count"], total["success_count"]) for name, total in groups.items()}
    assert counts == {("H1", "I1"): (20, 19), ("H1", "I2"): (10, 9), ("H2", "I1"): (10, 9), ("H2", "I2"): (5, 5)}
    assert sum(total["amount_fen"] for total in groups.values()) == sum(range(1, 46)) * 100
    work_list = {name: (row.cause, row.status) for name, row in night.differences().items()}
    assert work_list == {
        ("presence", number(1)): ("missing_insurer", "suspended"),
        ("presence", number(31)): ("missing_hospital", "suspended"),
        ("amount", number(21)): ("amount_insurer", "open"),
    }
    started = "SELECT count(*) FROM audit_entry WHERE action = 'reconciliation_difference.start'"
    assert value(night.runtime, started) == 3


def _told(mail: Mail, sms: Sms) -> Counter[str]:
    mails = Counter(message["to"][0] for message in mail.messages)
    return mails + Counter(message["phone"] for message in sms.messages)
