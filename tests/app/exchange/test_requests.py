"""Data requests: kept once, answered once, overdue for good. Who forwards them is tested in tests/app/claim."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from app.core.paging import PageQuery
from app.core.work import Runtime
from app.exchange import queries, service
from tests.app.exchange.kit import elsewhere
from tests.app.kit import Thread, run
from tests.app.partner import World

REQUEST = {"request_no": "Q1", "hospital": "H1", "kind": "record.visit", "data": {"claim_no": "CL1"}}


def test_a_request_for_data_is_answered_to_the_one_who_asked(runtime: Runtime, world: World) -> None:
    insurer = world.partner["I1"]
    request_id = UUID(insurer.ok("/requests", REQUEST)["request_id"])
    assert insurer.ok("/requests", REQUEST)["request_id"] == str(request_id)
    assert insurer.ok("/requests/answers/poll", {"cursor": 0}) == {"answers": []}
    with runtime.work() as work:
        opened = service.open_request(work, request_id)
        assert opened is not None
        assert (opened.party_id, opened.hospital_id) == (world.party["I1"], world.party["H1"])
        assert (opened.request_no, opened.kind, opened.data) == ("Q1", "record.visit", {"claim_no": "CL1"})
        assert service.answer_request(work, request_id, "done", {"visits": []}) is True
        assert service.answer_request(work, request_id, "refused", {}) is False
    (answer,) = insurer.ok("/requests/answers/poll", {"cursor": 0})["answers"]
    assert answer == {"cursor": 1, "request_no": "Q1", "outcome": "done", "code": None, "data": {"visits": []}}
    assert insurer.ok("/requests/answers/poll", {"cursor": 1}) == {"answers": []}
    assert world.partner["I2"].ok("/requests/answers/poll", {"cursor": 0}) == {"answers": []}


@pytest.mark.parametrize(
    ("code", "wrong", "status", "reason"),
    [
        ("H2", {}, 403, "request_not_allowed"),
        ("I1", {"kind": "record.everything"}, 422, "request_kind_unknown"),
        ("I1", {"hospital": "H9"}, 422, "hospital_unknown"),
        ("I1", {"hospital": "I2"}, 422, "hospital_unknown"),
    ],
)
def test_a_request_that_cannot_be_is_refused(
    world: World, code: str, wrong: dict[str, Any], status: int, reason: str
) -> None:
    answer = world.partner[code].post("/requests", REQUEST | wrong)
    assert (answer.status_code, answer.json["code"]) == (status, reason)


def test_a_request_number_is_used_for_one_request(world: World) -> None:
    world.partner["I1"].ok("/requests", REQUEST)
    world.partner["I2"].ok("/requests", REQUEST | {"data": {"claim_no": "CL2"}})
    answer = world.partner["I1"].post("/requests", REQUEST | {"data": {"claim_no": "CL2"}})
    assert (answer.status_code, answer.json["code"]) == (409, "request_no_reused")


def test_a_request_has_the_time_that_was_asked_for(runtime: Runtime, world: World) -> None:
    world.partner["I1"].ok("/requests", REQUEST)
    world.partner["I1"].ok("/requests", REQUEST | {"request_no": "Q2", "answer_within_s": 60})
    rows = run(
        runtime, "SELECT round(extract(epoch FROM deadline - created_at)) AS s FROM data_request ORDER BY number"
    )
    assert [abs(int(row.s) - expected) <= 2 for row, expected in zip(rows, (86_400, 60), strict=True)] == [True, True]
    for wrong in (0, 9, 7 * 86_400 + 1, "60", 60.0):
        answer = world.partner["I1"].post("/requests", REQUEST | {"request_no": "Q3", "answer_within_s": wrong})
        assert answer.status_code == 422


def overdue(runtime: Runtime, seconds: int) -> None:
    run(runtime, "UPDATE data_request SET deadline = now() - make_interval(secs => :s)", s=seconds)
    with runtime.work() as work:
        service.expire_requests(work)


def test_what_nobody_answered_is_overdue_seen_and_told_once(runtime: Runtime, world: World) -> None:
    insurer = world.partner["I1"]
    request_id = UUID(insurer.ok("/requests", REQUEST)["request_id"])
    overdue(runtime, 2)
    assert run(runtime, "SELECT status FROM data_request") == [("open",)], "an answer may still be on its way"
    overdue(runtime, 10)
    with runtime.read() as session:
        for party in (None, world.party["I1"], world.party["H1"]):
            (seen,), _ = queries.unanswered_requests(session, PageQuery(), party)
            assert (seen.request_no, seen.status) == ("Q1", "overdue")
        assert queries.unanswered_requests(session, PageQuery(), world.party["I2"])[0] == []
    with runtime.work() as work:
        assert service.open_request(work, request_id) is None
        assert service.answer_request(work, request_id, "done", {"late": True}) is False
    (answer,) = insurer.ok("/requests/answers/poll", {"cursor": 0})["answers"]
    assert answer == {"cursor": 1, "request_no": "Q1", "outcome": "unknown", "code": "overdue", "data": {}}
    assert insurer.ok("/requests/answers/poll", {"cursor": 1}) == {"answers": []}


def test_an_answered_request_is_never_overdue(runtime: Runtime, world: World) -> None:
    request_id = UUID(world.partner["I1"].ok("/requests", REQUEST)["request_id"])
    with runtime.work() as work:
        service.answer_request(work, request_id, "done", {})
    overdue(runtime, 10)
    assert run(runtime, "SELECT status FROM data_request") == [("answered",)]


def test_the_same_request_many_times_at_once_is_one(runtime: Runtime, world: World) -> None:
    threads = [Thread(lambda: elsewhere(world.partner["I1"]).ok("/requests", REQUEST)) for _ in range(6)]
    assert len({thread.result()["request_id"] for thread in threads}) == 1
    assert len(run(runtime, "SELECT id FROM data_request")) == 1
