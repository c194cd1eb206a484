"""The exchange as operators see it: who may look at what, and who may have a failed task done again."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.core import tasks
from app.core.work import Runtime
from app.exchange import service
from app.exchange.service import Verdict
from tests.app.exchange.kit import write
from tests.app.kit import run, value
from tests.app.operators import operator
from tests.app.partner import World, batch

URL = "/api/v1/operator/exchange"
ROW = {"type": "document", "key": "D1", "version": 1, "data": {"text": "秘密"}}
QUESTIONS = ("/completeness?business_date=2026-11-21", "/commands/late", "/requests", "/dead-tasks", "/pushes")


class Desk:
    """What an operator does at the desk; without a party one of the platform's own."""

    def __init__(self, runtime: Runtime, client: FlaskClient, world: World) -> None:
        self.runtime, self.client, self.world = runtime, client, world

    def headers(self, role: str = "administrator", party: str | None = None) -> dict[str, str]:
        return operator(self.runtime, role, self.world.party[party] if party else None)

    def get(self, path: str, **who: Any) -> Any:
        return self.client.get(URL + path, headers=self.headers(**who))

    def items(self, path: str, **who: Any) -> list[dict[str, Any]]:
        answer = self.get(path, **who)
        assert answer.status_code == 200, answer.get_json()
        found: list[dict[str, Any]] = answer.get_json()["items"]
        return found

    def post(self, path: str, body: Any = None, **who: Any) -> Any:
        headers = self.headers(**who) | {"Idempotency-Key": uuid.uuid4().hex}
        return self.client.post(URL + path, json=body or {}, headers=headers)


@pytest.fixture
def desk(runtime: Runtime, client: FlaskClient, world: World) -> Desk:
    return Desk(runtime, client, world)


@pytest.fixture
def dead(runtime: Runtime) -> int:
    """A task that failed for good."""
    with runtime.work() as work:
        work.later("claim.deliver", uuid.uuid4())
    with runtime.work() as work:
        (job,) = tasks.take(work.session, "claim.deliver", 1, 1)
        tasks.postpone(work.session, job, "PartnerFault: insurer: gone", run_at=None, bury=True)
    return job.id


def test_completeness_of_every_hospital_with_its_gaps(desk: Desk, runtime: Runtime, world: World) -> None:
    for batch_no in (1, 4):
        pushed = world.partner["H1"].ok("/batches", batch(batch_no, "record", [ROW | {"key": f"D{batch_no}"}]))
        with runtime.work() as work:
            opened = service.open_batch(work, uuid.UUID(pushed["batch_id"]))
            service.settle_batch(work, opened.id, [Verdict("document", opened.rows[0]["key"], "applied")])
    first, second = desk.items("/completeness?business_date=2026-11-21", role="auditor")
    assert (first["party"], first["percent"], first["missing"], first["batches"]) == ("H1", 50.0, [2, 3], 2)
    assert first["rows"] == {"applied": 2} and first["name"] == "市第一人民医院"
    assert (second["party"], second["percent"], second["batches"]) == ("H2", None, 0)
    (own,) = desk.items("/completeness?business_date=2026-11-21&party=H1", party="H2")
    assert own["party"] == "H2", "people of one hospital see their own, whatever they ask for"
    assert desk.get("/completeness?business_date=2026-11-21&party=H9").status_code == 404
    assert desk.get("/completeness").status_code == 422
    mine = world.partner["H1"].ok("/completeness", {"business_date": "2026-11-21"})
    assert mine == {name: first[name] for name in mine} and mine["percent"] == 50.0


def test_who_is_late_is_named_to_those_whom_it_concerns(desk: Desk, runtime: Runtime, world: World) -> None:
    late = write(runtime, world.party["H1"], body={"name": "秘密"})
    asked = {"request_no": "Q1", "hospital": "H1", "kind": "record.visit", "data": {"name": "秘密"}}
    world.partner["I1"].ok("/requests", asked)
    run(runtime, "UPDATE command SET created_at = now() - interval '10 minutes'")
    write(runtime, world.party["H1"])
    run(runtime, "UPDATE data_request SET deadline = now() - interval '1 minute'")
    with runtime.work() as work:
        service.expire_requests(work)
    (command,) = desk.items("/commands/late")
    assert (command["id"], command["party"], command["kind"], command["status"]) == (late, "H1", "register", "open")
    assert len(desk.items("/commands/late?longer_than_s=0")) == 2
    (request,) = desk.items("/requests")
    assert (request["insurer"], request["hospital"], request["status"]) == ("I1", "H1", "overdue")
    for party, commands, requests in (("H1", 1, 1), ("I1", 0, 1), ("H2", 0, 0), ("I2", 0, 0)):
        assert len(desk.items("/commands/late", party=party)) == commands
        assert len(desk.items("/requests", party=party)) == requests
    assert "秘密" not in str([command, request])


def test_a_dead_task_is_done_again_once_and_leaves_a_trace(desk: Desk, runtime: Runtime, dead: int) -> None:
    (shown,) = desk.items("/dead-tasks")
    assert (shown["id"], shown["kind"], shown["tries"]) == (dead, "claim.deliver", 1)
    assert shown["cause"] == "PartnerFault: insurer: gone"
    assert desk.items("/dead-tasks?kind=claim.verify") == desk.items(f"/dead-tasks?before={dead}") == []
    assert desk.post(f"/dead-tasks/{dead}/replay").get_json() == {"id": dead}
    assert run(runtime, "SELECT status, tries FROM task") == [("due", 0)]
    assert desk.items("/dead-tasks") == []
    assert desk.post(f"/dead-tasks/{dead}/replay").status_code == 404
    (trace,) = run(runtime, "SELECT actor_kind, subject_id, detail FROM audit_entry WHERE action = 'task.replay'")
    assert trace.actor_kind == "operator" and str(trace.subject_id) == shown["subject"]
    assert trace.detail == {"task": dead, "kind": "claim.deliver"}


def test_many_dead_tasks_are_shown_by_the_page(desk: Desk, runtime: Runtime) -> None:
    dead = "INSERT INTO task (kind, status, args) SELECT 'claim.deliver', 'dead', '{}' FROM generate_series(1, 5)"
    run(runtime, dead)
    first = desk.get("/dead-tasks?limit=3").get_json()
    rest = desk.get(f"/dead-tasks?limit=3&before={first['next_before']}").get_json()
    assert (len(first["items"]), len(rest["items"]), rest["next_before"]) == (3, 2, None)
    assert len({one["id"] for one in first["items"] + rest["items"]}) == 5


@pytest.mark.parametrize("role", ["auditor", "claims", "finance", "security", "payout_approver"])
def test_only_administrators_of_the_platform_mend(desk: Desk, runtime: Runtime, dead: int, role: str) -> None:
    for who in ({"role": role}, {"party": "H1"}):
        assert desk.post(f"/dead-tasks/{dead}/replay", **who).status_code == 403
        assert desk.post("/pushes/I1/again", {"cursor": 0}, **who).status_code == 403
    assert desk.get("/dead-tasks", party="H1").status_code == 403
    assert value(runtime, "SELECT status FROM task WHERE id = :id", id=dead) == "dead"


@pytest.mark.parametrize("path", QUESTIONS)
def test_nobody_else_looks(desk: Desk, client: FlaskClient, path: str) -> None:
    assert client.get(URL + path).status_code == 401
    assert desk.get(path, role="security").status_code == 403
    assert desk.get(path, role="claims").status_code == 200


def test_pushes_are_seen_and_put_back(desk: Desk, runtime: Runtime, world: World) -> None:
    assert desk.items("/pushes") == []
    assert desk.post("/pushes/I1/again", {"cursor": 0}).status_code == 404
    run(runtime, "UPDATE party SET config = config || '{\"push_url\": \"http://127.0.0.1:9\"}' WHERE kind = 'insurer'")
    for number in range(3):
        with runtime.work() as work:
            service.publish(work, world.party["I1"], "claim.payout", {"number": number})
    world.partner["I1"].ok("/changes/poll", {"cursor": 0})
    assert desk.items("/pushes") == [
        {"party": "I1", "cursor": 0, "last_cursor": 3, "waiting": 3},
        {"party": "I2", "cursor": 0, "last_cursor": 0, "waiting": 0},
    ]
    moved = desk.post("/pushes/I1/again", {"cursor": 2}).get_json()["items"]
    assert moved == [{"party": "I1", "cursor": 2, "last_cursor": 3, "waiting": 1}]
    assert desk.items("/pushes", party="I1") == moved and desk.items("/pushes", party="H1") == []
    for wrong in ({"cursor": 4}, {"cursor": -1}, {}):
        assert desk.post("/pushes/I1/again", wrong).status_code == 422
    assert value(runtime, "SELECT count(*) FROM task WHERE kind = 'exchange.push'") == 1


def test_what_is_late_is_older_than_asked(desk: Desk, runtime: Runtime, world: World) -> None:
    write(runtime, world.party["H1"], in_s=1)
    run(runtime, "UPDATE command SET deadline = now() - interval '1 minute', created_at = now() - interval '2 minutes'")
    with runtime.work() as work:
        service.expire(work)
    (overdue,) = desk.items("/commands/late")
    assert overdue["status"] == "overdue"
    assert desk.items(f"/commands/late?longer_than_s={int(timedelta(hours=1).total_seconds())}") == []
