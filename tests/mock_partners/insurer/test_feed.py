"""The insurer fetches changes and answers from where it stopped, and acknowledges what it has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from flask import Response, jsonify, request
from standardwebhooks import Webhook

from mock_partners.insurer.server import Insurer
from tests.mock_partners.insurer.conftest import open_insurer
from tests.mock_partners.wire import SECRETS, Exchange


class Feeding(Exchange):
    """An exchange that holds changes, and answers every data request."""

    def __init__(self) -> None:
        super().__init__(SECRETS)
        self.changes: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        self.acknowledged: list[int] = []

        @self.app.post("/exchange/v1/<path:what>")
        def fetch(what: str) -> tuple[Response, int]:
            Webhook(SECRETS[request.headers["Zhipei-Partner"]]).verify(request.get_data(), dict(request.headers))
            return jsonify(self.answer(what, request.get_json())), 200

    def answer(self, what: str, body: dict[str, Any]) -> dict[str, Any]:
        if what == "requests":
            self.asked.append(body)
        if what == "changes/ack":
            self.acknowledged.append(body["cursor"])
        answers = [{"cursor": n, **asked, "outcome": "done"} for n, asked in enumerate(self.asked, 1)]
        return {
            "changes": [change for change in self.changes if change["cursor"] > body.get("cursor", 0)],
            "answers": [answer for answer in answers if answer["cursor"] > body.get("cursor", 0)],
        }


@pytest.fixture
def feeding() -> Iterator[Feeding]:
    double = Feeding()
    double.start()
    yield double
    double.stop()


@pytest.fixture
def insurer(feeding: Feeding, tmp_path: Path) -> Iterator[Insurer]:
    double = open_insurer(feeding, tmp_path)
    yield double
    double.stop()


def test_changes_are_followed_and_acknowledged(insurer: Insurer, feeding: Feeding) -> None:
    url = f"{insurer.url}/__mock__/changes"
    feeding.changes = [{"cursor": n, "type": "bill.refunded", "data": {"n": n}} for n in (4, 7)]
    assert [change["cursor"] for change in httpx.post(url).json()] == [4, 7]
    feeding.changes.append({"cursor": 9, "type": "bill.refunded", "data": {"n": 9}})
    assert [change["cursor"] for change in httpx.post(url).json()] == [4, 7, 9]
    assert len(httpx.post(url).json()) == 3
    assert feeding.acknowledged == [7, 9]


def test_a_data_request_is_asked_and_its_answer_collected(insurer: Insurer, feeding: Feeding) -> None:
    asked = {"hospital": "H1", "kind": "record.visit", "data": {"visit_key": "V1"}}
    answer = httpx.post(f"{insurer.url}/__mock__/requests", json=asked)
    assert answer.status_code == 202
    assert feeding.asked == [{"request_no": answer.json()["request_no"], **asked}]
    for _ in range(2):
        collected = httpx.post(f"{insurer.url}/__mock__/requests/answers").json()
        assert [(one["request_no"], one["outcome"]) for one in collected] == [(answer.json()["request_no"], "done")]


def test_an_exchange_that_is_away_or_refuses_is_said_clearly(insurer: Insurer, feeding: Feeding) -> None:
    feeding.fail("/changes", status=429)
    answer = httpx.post(f"{insurer.url}/__mock__/changes")
    assert (answer.status_code, answer.json()["code"], answer.json()["answered"]) == (502, "exchange_refused", 429)
    feeding.fail("/changes", drop="before")
    assert httpx.post(f"{insurer.url}/__mock__/changes").json()["code"] == "exchange_away"
