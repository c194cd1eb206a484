"""Working on commands: each is handed to its handler once, and what became of it stands in the store as an answer."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from hospital_agent import clock, log
from hospital_agent.backoff import retrying
from hospital_agent.errors import AgentStops, Refused, Temporary, Unknown, Unsent
from hospital_agent.store.commands import UNFIT, Answer, Command, Inbox


@dataclass(frozen=True)
class Call:
    """One command in work. `sent` is to be called when its request has left, so that the next may start `in_order`."""

    command: Command
    sent: Callable[[], None]
    in_order: bool = False

    def __getitem__(self, name: str) -> Any:
        """A field of the command's body. Raises Refused when it is missing."""
        try:
            return self.command.body[name]
        except KeyError as error:
            raise Refused("malformed_command", name) from error


ONE_TRY = frozenset({"trial", "settle", "reverse"})
"""Kinds that are sent at most once, whatever happens to this process: the platform asks before it repeats them. Their
handlers look at the deadline."""

UNSENT_PAUSE_S, UNSENT_PAUSE_MAX_S = 0.2, 2.0

Handler = Callable[[Call], Mapping[str, Any]]
"""Answers the body of `done`. Refused is final, Unknown means that nobody can say, Temporary is asked again."""


def work_on(call: Call, handlers: Mapping[str, Handler]) -> Answer:
    """What became of one command, whatever happens; only AgentStops passes through, and of a command in order Unsent.
    One that lay here until its deadline is not begun: nobody waits for it any more."""
    command = call.command
    if command.kind not in ONE_TRY and command.deadline_s is not None and clock.steady_s() > command.deadline_s:
        return Answer(command.id, "failed", "past_deadline")
    handler = handlers.get(command.kind)
    if handler is None:
        return Answer(command.id, "refused", "unsupported_command")
    try:
        return Answer(command.id, "done", body=handler(call))
    except Refused as refused:
        return Answer(command.id, "refused", refused.code, refused.message)
    except AgentStops:
        raise
    except Unknown as unknown:
        return Answer(command.id, "unknown", unknown.code)
    except Temporary as temporary:
        if call.in_order and isinstance(temporary, Unsent):
            raise
        log.warning("command_failed", kind=command.kind, id=command.id, code=temporary.code)
        return Answer(command.id, "failed", temporary.code)
    except Exception as error:  # a fault of ours must not stop the other commands
        log.failure("command_broken", error, kind=command.kind, id=command.id)
        return Answer(command.id, "failed", "agent_error")


class Lane:
    """Starts commands strictly in the order in which they were put in, at most `width` at a time.

    With `in_order` the next starts only when the request of the one before has left.
    """

    def __init__(self, name: str, width: int, run: Callable[[Call], None], *, in_order: bool = False) -> None:
        self.width = width
        self._run, self._in_order = run, in_order
        self._queue: queue.SimpleQueue[Command | None] = queue.SimpleQueue()
        self._free = threading.Semaphore(width)
        self._pool = ThreadPoolExecutor(width, thread_name_prefix=name)
        self._thread = threading.Thread(target=self._start_all, name=f"{name}-lane", daemon=True)
        self._thread.start()

    def put(self, command: Command) -> None:
        self._queue.put(command)

    def close(self) -> None:
        """Finish what has been started; what has not stays in the store for the next life."""
        self._queue.put(None)
        self._thread.join()
        self._pool.shutdown()

    def abandon(self) -> None:
        """Drop what has not been started."""
        while not self._queue.empty():
            self._queue.get_nowait()

    def _start_all(self) -> None:
        while (command := self._queue.get()) is not None:
            self._free.acquire()
            sent = threading.Event()
            self._pool.submit(self._one, Call(command, sent.set, self._in_order))
            if self._in_order:
                sent.wait()

    def _one(self, call: Call) -> None:
        try:
            self._run(call)
        finally:
            call.sent()
            self._free.release()


class Desk:
    """Takes fetched commands, spreads them over lanes, and puts the answers into the store."""

    def __init__(self, inbox: Inbox, handlers: Mapping[str, Handler], widths: Mapping[str, int]) -> None:
        """`widths` is the number of commands at a time per lane; the lane "" takes what no other lane does."""
        self._inbox, self._handlers = inbox, handlers
        self._lanes = {
            name: Lane(name or "commands", width, self._run, in_order=name == "registration")
            for name, width in widths.items()
        }
        self._open: dict[str, int] = dict.fromkeys(widths, 0)
        self._changed = threading.Condition()
        self._ends = threading.Event()
        self.on_answer: Callable[[], None] = lambda: None

    def resume(self) -> None:
        """Take up what an earlier life left: a command of one try is answered `unknown`, the others run again."""
        for command in self._inbox.left_over():
            if command.kind in ONE_TRY:
                self._inbox.answer(Answer(command.id, "unknown", "agent_restarted"))
            else:
                self._start(command)
        self.on_answer()

    def take(self, commands: list[Command]) -> None:
        for command in self._inbox.take(commands):
            self._start(command)

    def seen(self, lane: str) -> int:
        """The last command of a lane that was ever taken, by its sequence number."""
        return self._inbox.seen(lane)

    def wait_for_room(self, lane: str, limit: int, timeout_s: float) -> int:
        """How many more of a lane's commands may be taken while `limit` is the most that may be open."""
        with self._changed:
            self._changed.wait_for(lambda: self._open[lane] < limit, timeout_s)
            return limit - self._open[lane]

    def is_idle(self) -> bool:
        with self._changed:
            return not any(self._open.values())

    def close(self) -> None:
        self._ends.set()
        for lane in self._lanes.values():
            lane.abandon()
            lane.close()

    def _lane_of(self, command: Command) -> str:
        return command.lane if command.lane in self._lanes else ""

    def _start(self, command: Command) -> None:
        name = self._lane_of(command)
        with self._changed:
            self._open[name] += 1
        self._lanes[name].put(command)

    def _run(self, call: Call) -> None:
        try:
            self._keep(call.command, self._work_on(call))
            self.on_answer()
        except Temporary as ended:
            log.info("command_left", kind=call.command.kind, id=call.command.id, code=ended.code)
        except Exception as error:  # a fault of ours; the next life of the agent takes the command up
            log.failure("command_lost", error, kind=call.command.kind, id=call.command.id)
        finally:
            with self._changed:
                self._open[self._lane_of(call.command)] -= 1
                self._changed.notify_all()

    def _keep(self, command: Command, answer: Answer) -> None:
        """Put the answer into the store, as soon as that can be written: what has been done is not done again for a
        full disk. Raises Temporary when the agent ends before."""
        for attempt in retrying(self._ends):
            with attempt:
                try:
                    self._inbox.answer(answer)
                except Temporary:
                    raise
                except Exception as error:  # half a character, or a value that is no JSON
                    log.failure(UNFIT, error, kind=command.kind, id=command.id)
                    self._inbox.answer_unfit(command.id)

    def _work_on(self, call: Call) -> Answer:
        """While the request cannot leave, it is tried again where order counts: nobody overtakes it, and whoever gave
        the command waits no longer than for the other side to be there again."""
        pause_s = UNSENT_PAUSE_S
        while True:
            try:
                return work_on(call, self._handlers)
            except Unsent as unsent:
                if pause_s == UNSENT_PAUSE_S:
                    log.warning("cannot_leave", kind=call.command.kind, id=call.command.id, code=unsent.code)
                if self._ends.wait(pause_s):
                    raise AgentStops("agent_stops") from unsent
                pause_s = min(2 * pause_s, UNSENT_PAUSE_MAX_S)
