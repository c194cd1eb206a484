"""Fetching commands by long poll: the next poll goes out as soon as the last has been answered."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hospital_agent import log
from hospital_agent.backoff import retrying
from hospital_agent.commands import Desk
from hospital_agent.errors import AgentError
from hospital_agent.exchange import ExchangeClient

MAX_COMMANDS = 200


@dataclass(frozen=True)
class PollLane:
    """Which lanes of the exchange one poller asks for (None: all), how many commands it may hold open, and of lanes
    that are kept in order how many at the most (`lane_limits`)."""

    desk_lane: str
    lanes: tuple[str, ...] | None
    limit: int
    lane_limits: Mapping[str, int] = field(default_factory=dict)


class Poller:
    """One thread that asks for commands while there is room for them: none is fetched to lie about."""

    def __init__(self, client: ExchangeClient, desk: Desk, lane: PollLane, wait_ms: int, stop: threading.Event) -> None:
        self._client, self._desk, self._lane, self._wait_ms, self._stop = client, desk, lane, wait_ms, stop
        self.bad_rows: Callable[[], int] = lambda: 0
        self._told: int | None = None

    def run(self) -> None:
        while not self._stop.is_set():
            try:
                for attempt in retrying(self._stop):
                    with attempt:
                        self.once(self._wait_ms)
            except AgentError as error:
                log.failure("poll_refused", error)
                self._stop.wait(2)
            except Exception as error:  # the thread must outlive a fault of ours
                log.failure("poll_broken", error)
                self._stop.wait(2)

    def once(self, wait_ms: int) -> int:
        """One poll; answers how many commands came. Raises Temporary, Refused."""
        room = self._desk.wait_for_room(self._lane.desk_lane, self._lane.limit, 0.5)
        if room <= 0:
            return 0
        limits = self._lane.lane_limits
        seen = {lane: self._desk.seen(lane) for lane in limits}
        bad_rows = self.bad_rows()
        more = {} if bad_rows == self._told else {"bad_rows": bad_rows}
        commands = self._client.poll(
            min(room, MAX_COMMANDS), wait_ms, self._lane.lanes, lane_limits=limits, lane_seen=seen, **more
        )
        self._told = bad_rows
        self._desk.take(commands)
        return len(commands)
