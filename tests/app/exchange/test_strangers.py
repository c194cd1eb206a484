"""Every partner against every route: nobody sees or changes what is another's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest

from app.core.work import Runtime
from app.exchange import service
from app.exchange.api import bp
from tests.app.exchange.kit import write
from tests.app.kit import run
from tests.app.partner import World, batch

OTHERS = ("H2", "I2", "M1", "B1")
TABLES = ("batch", "command", "command_reply", "message", "change", "data_request", "partner", "lane", "party",
          "push")  # fmt: skip


@dataclass
class Held:
    """What H1 and I1 hold before strangers come."""

    batch_id: str = ""
    command_id: str = ""
    secrets: list[str] = field(default_factory=lambda: ["秘密", "B-own", "Q-own", "claim.paid"])


@pytest.fixture
def held(runtime: Runtime, world: World) -> Held:
    held = Held()
    row = {"type": "document", "key": "B-own", "version": 1, "data": {"text": "秘密"}}
    held.batch_id = world.partner["H1"].ok("/batches", batch(7, "record", [row]))["batch_id"]
    held.command_id = write(runtime, world.party["H1"], body={"name": "秘密"})
    world.partner["H1"].poll()
    write(runtime, world.party["H1"], body={"name": "秘密"})
    asked = {"request_no": "Q-own", "hospital": "H1", "kind": "record.visit", "data": {"name": "秘密"}}
    request_id = world.partner["I1"].ok("/requests", asked)["request_id"]
    with runtime.work() as work:
        service.publish(work, world.party["I1"], "claim.paid", {"name": "秘密"})
        service.answer_request(work, UUID(request_id), "done", {"name": "秘密"})
    world.partner["I1"].ok("/changes/poll", {"cursor": 0})
    world.partner["I1"].ok("/requests/answers/poll", {"cursor": 0})
    return held


Attempt = Callable[[Held], Any]
ATTEMPTS: dict[str, tuple[Attempt, set[int]]] = {
    "/batches": (lambda held: batch(7, "ledger", []), {202, 403}),
    "/batches/verdicts": (lambda held: {"batch_no": 7}, {404}),
    "/completeness": (lambda held: {"business_date": "2026-11-21"}, {200}),
    "/commands/poll": (lambda held: {"max": 200, "wait_ms": 0}, {200}),
    "/commands/answers": (lambda held: {"answers": [{"id": held.command_id, "outcome": "done"}]}, {200}),
    "/messages": (lambda held: {"type": "claim.case_opened", "data": {}}, {202, 422}),
    "/requests": (
        lambda held: {"request_no": "Q-own", "hospital": "H1", "kind": "record.visit", "data": {}},
        {202, 403},
    ),
    "/requests/answers/poll": (lambda held: {"cursor": 0}, {200}),
    "/changes/poll": (lambda held: {"cursor": 0}, {200}),
    "/keys": (lambda held: {}, {200}),
    "/changes/ack": (lambda held: {"cursor": 1}, {422}),
}


def owned(runtime: Runtime, world: World) -> list[Any]:
    """Every row of H1 and I1, as text."""
    mine = [world.party["H1"], world.party["I1"]]
    found = []
    for table in TABLES:
        where = {
            "party": "id = ANY(:mine)",
            "command_reply": "id IN (SELECT id FROM command WHERE party_id = ANY(:mine))",
        }.get(table, "party_id = ANY(:mine)")
        rows = run(runtime, f"SELECT t::text FROM {table} t WHERE {where} ORDER BY 1", mine=mine)  # noqa: S608
        found.append((table, rows))
    return found


def test_every_route_is_attempted(client: Any) -> None:
    routes = {rule.rule.removeprefix(bp.url_prefix or "") for rule in client.application.url_map.iter_rules()
              if rule.endpoint.startswith("exchange.")}  # fmt: skip
    assert routes == set(ATTEMPTS)


@pytest.mark.parametrize("route", ATTEMPTS)
def test_a_stranger_sees_and_changes_nothing(runtime: Runtime, world: World, held: Held, route: str) -> None:
    body, expected = ATTEMPTS[route]
    before = owned(runtime, world)
    for code in OTHERS:
        answer = world.partner[code].post(route, body(held))
        assert answer.status_code in expected, (code, answer.json)
        assert not [secret for secret in held.secrets if secret in answer.get_data(as_text=True)]
        if route == "/commands/answers":
            assert answer.json == {"accepted": [], "ignored": [held.command_id]}
        elif route == "/keys":
            assert [key["signs"] for key in answer.json["keys"]] == [True], "ours, for whoever asks"
        elif route == "/completeness":
            assert (answer.json["batches"], answer.json["percent"], answer.json["rows"]) == (0, None, {})
        elif route == "/commands/poll":
            assert answer.json == {"waited_ms": 0, "commands": []}
        elif answer.status_code == 200:
            assert list(answer.json.values()) == [[]]
    assert owned(runtime, world) == before


@pytest.mark.parametrize("route", ATTEMPTS)
def test_nobody_passes_without_a_signature(world: World, held: Held, route: str) -> None:
    answer = world.partner["H1"].client.post(f"/exchange/v1{route}", json=ATTEMPTS[route][0](held))
    assert answer.status_code == 401
    wrong = world.partner["H2"].secret
    assert world.partner["H1"].post(route, ATTEMPTS[route][0](held), secret=wrong).status_code == 401
