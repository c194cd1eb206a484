"""The way through the exchange: the product's web application, its drains, and a hospital's agent that signs.

The agent takes commands in the order in which they are handed out, up to c at once; the hospital behind it answers at
once or after a log-normal time.
"""

from __future__ import annotations

import heapq
import json
import math
import random
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from flask.testing import FlaskClient
from standardwebhooks import Webhook

from app.core.tasks import Lease
from app.core.work import Runtime
from app.factory import create_app
from app.wiring import make_gateways
from bench import newcomers
from workers.bell import Bell
from workers.context import Context
from workers.drain import drain_with

MEDIAN_S, P99_S = 0.3, 8.0
LONGEST_S = 10.0  # an agent waits no longer for its hospital
_SIGMA = math.log(P99_S / MEDIAN_S) / 2.326  # the 99th percentile of the standard normal distribution
KINDS = ("registration.poll", "registration.answered")


@dataclass
class Agent:
    """One signing program at the exchange. `slow` draws answer times, `at_once` is c."""

    client: FlaskClient
    slow: random.Random | None = None
    at_once: int = 200
    order: list[str] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)
    _under_way: list[tuple[float, int, dict[str, Any]]] = field(default_factory=list)

    def turn(self) -> None:
        """Take what there is room for, answer what is done."""
        room = self.at_once - len(self._under_way)
        if room > 0:
            ask = {"max": min(room, 200), "wait_ms": 0, "lanes": ["registration"]}
            for command in self._post("poll", ask)["commands"]:
                if command["id"] not in self._seen:  # what stays unanswered for long is handed out again
                    self._seen.add(command["id"])
                    self.order.append(command["body"]["registration_no"])
                    heapq.heappush(self._under_way, (self._done_at(), command["seq"], command))
        now, answers = time.monotonic(), []
        while self._under_way and self._under_way[0][0] <= now:
            answers.append(_answer(heapq.heappop(self._under_way)[2]))
        if answers:
            self._post("answers", {"answers": answers})

    def _done_at(self) -> float:
        wait_s = self.slow.lognormvariate(math.log(MEDIAN_S), _SIGMA) if self.slow else 0.0
        return time.monotonic() + min(wait_s, LONGEST_S)

    def _post(self, what: str, body: dict[str, Any]) -> Any:
        text, message_id, at = json.dumps(body), f"msg_{uuid.uuid4().hex}", datetime.now(UTC)
        headers = {
            "Content-Type": "application/json",
            "Zhipei-Partner": newcomers.AGENT,
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(newcomers.AGENT_SECRET).sign(message_id, at, text),
        }
        answer = self.client.post(f"/exchange/v1/commands/{what}", data=text, headers=headers)
        if answer.status_code != 200:
            raise SystemExit(f"the exchange answers {answer.status_code}")
        return answer.get_json()


def _answer(command: dict[str, Any]) -> dict[str, Any]:
    said = {"patient_no": f"P{command['body']['registration_no'][2:14]}"}
    return {"id": command["id"], "outcome": "done", "code": None, "message": None, "body": said}


class Exchange:
    """The product in this process, drained by hand."""

    def __init__(self, runtime: Runtime) -> None:
        gateways = make_gateways(runtime.settings)
        self._runtime = runtime
        self._lease = Lease(runtime.settings.database_url)
        self._here = Context(runtime, gateways, Bell(runtime.settings.redis_url), self._lease)
        self.client = create_app(runtime, gateways).test_client()

    def register(self, agent: Agent, hospital_id: Any, count: int) -> int:
        """Until `count` entries have gone through."""
        with self._runtime.work() as work:
            work.later("registration.poll", hospital_id)
        done, query = 0, "SELECT count(*) FROM registration WHERE status IN ('queued', 'registering')"
        while not done:
            for kind in KINDS:
                drain_with(self._here, kind)
            agent.turn()
            with self._runtime.read() as session:
                waiting = session.connection().exec_driver_sql(query).scalar()
            done = count if not waiting else 0
        return done

    def close(self) -> None:
        self._lease.drop()
