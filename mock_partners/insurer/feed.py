"""What the insurer fetches from the exchange by itself, or gets pushed: changes, and answers to its data requests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx

from mock_partners.answers import Refused
from mock_partners.double import Double
from mock_partners.signing import Caller, new_message_id


class Feed:
    """Each fetch goes on where the last one ended, also after a restart; what is fetched twice is kept once."""

    def __init__(self, double: Double, caller: Caller) -> None:
        self._double, self._caller = double, caller
        self._requests = double.table("requests")
        self._answers = double.table("request_answers")
        self._changes = double.table("changes")
        self._pushed = double.table("pushed")

    def ask(self, hospital: str, kind: str, data: Mapping[str, Any]) -> str:
        """Ask a hospital for data through the exchange; returns our number of the request."""
        number = f"{self._double.name}-Q{len(self._requests) + 1:06d}"
        request = {"request_no": number, "hospital": hospital, "kind": kind, "data": data}
        self._post("requests", request)
        self._requests.put(number, request)
        return number

    def collect(self) -> list[dict[str, Any]]:
        """Fetch the answers that have come; returns all answers so far."""
        for answer in self._post("requests/answers/poll", {"cursor": _last(self._answers)})["answers"]:
            self._answers.put(str(answer["cursor"]), answer)
        return list(self._answers.values())

    def follow(self) -> list[dict[str, Any]]:
        """Fetch the changes that have come and acknowledge them; returns all changes so far."""
        fetched = self._post("changes/poll", {"cursor": _last(self._changes), "max": 200, "wait_ms": 0})["changes"]
        for change in fetched:
            self._changes.put(str(change["cursor"]), change)
        if fetched:
            self._post("changes/ack", {"cursor": _last(self._changes)})
        return list(self._changes.values())

    def receive(self, message_id: str, change: Mapping[str, Any]) -> None:
        """A change that is pushed: the same as one that is fetched, and again the same if it comes again."""
        self._pushed.put(message_id, dict(change))
        self._changes.put(str(change["cursor"]), dict(change))

    def pushed(self) -> dict[str, dict[str, Any]]:
        """Every change that was pushed, by the id of its message."""
        return dict(self._pushed)

    def _post(self, path: str, body: Mapping[str, Any]) -> Any:
        try:
            answer = self._caller.post(path, json.dumps(body, ensure_ascii=False), new_message_id())
        except httpx.HTTPError as error:
            raise Refused(503, "exchange_away", "数据交换服务没有回答") from error
        if not answer.is_success:
            raise Refused(502, "exchange_refused", "数据交换服务拒绝了请求", answered=answer.status_code)
        return answer.json()


def _last(rows: Mapping[str, Any]) -> int:
    return max((int(cursor) for cursor in rows), default=0)
