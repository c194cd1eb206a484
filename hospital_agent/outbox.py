"""What leaves the agent: batches in the order of their numbers, answers and messages as soon as they exist."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from hospital_agent import log
from hospital_agent.backoff import retrying
from hospital_agent.batch import Batch
from hospital_agent.errors import AgentError, AgentStops, Refused, Temporary
from hospital_agent.exchange import ExchangeClient
from hospital_agent.store.commands import UNFIT, Inbox
from hospital_agent.store.registry import Message, Messages
from hospital_agent.store.spool import Spool

VERDICT_OPEN = frozenset({"received", "checked"})
# Said by the exchange of what a message holds: not the JSON of its contract, or too long.
UNFIT_STATUSES = frozenset({400, 413, 422})


class BatchSender:
    """One thread sends the spool, oldest first; a batch leaves the spool when the exchange has accepted it."""

    def __init__(self, client: ExchangeClient, spool: Spool, stop: threading.Event) -> None:
        self._client, self._spool, self._stop = client, spool, stop
        self._sent = threading.Condition()
        self._released = False
        self.wake = threading.Event()

    def run(self) -> None:
        while not self._stop.is_set():
            self.wake.clear()
            try:
                self.send_all()
            except Temporary as error:
                log.warning("batches_wait", code=error.code)
                self._stop.wait(1)
            except Exception as error:  # the thread must outlive a fault of ours
                log.failure("sender_broken", error)
                self._stop.wait(1)
            if not self._spool.unsent():
                self.wake.wait(1)

    def send_all(self) -> None:
        """Send what waits. Raises Temporary when the agent stops before the exchange could be reached."""
        while (batch := self._spool.next_unsent()) is not None:
            for attempt in retrying(self._stop):
                with attempt:
                    self._send(batch)
            with self._sent:
                self._sent.notify_all()

    def wait_sent(self, numbers: Sequence[int], timeout_s: float) -> None:
        """Until everything spooled so far (numbers included) is with the exchange. Raises Temporary after a while."""
        last = max([*numbers, *self._spool.unsent()], default=0)

        def is_sent() -> bool:
            return not any(n <= last for n in self._spool.unsent())

        with self._sent:
            if not self._sent.wait_for(lambda: self._released or is_sent(), timeout_s):
                raise Temporary("push_pending")
        if not is_sent():
            raise AgentStops("agent_stops")

    def release(self) -> None:
        """Nobody waits any longer: the agent stops."""
        with self._sent:
            self._released = True
            self._sent.notify_all()

    def _send(self, batch: Batch) -> None:
        try:
            self._client.push(batch)
        except Refused as refused:
            self._refused(batch, refused)
            return
        self._spool.accepted(batch.batch_no)
        log.info("batch_accepted", batch_no=batch.batch_no, kind=batch.kind, count=batch.count)

    def _refused(self, batch: Batch, refused: Refused) -> None:
        log.warning("batch_refused", batch_no=batch.batch_no, kind=batch.kind, code=refused.code)
        if refused.code == "batch_no_reused":
            self._spool.renumber()
        elif refused.status in (413, 422) and batch.count:
            self._spool.split(batch, refused.code)
        else:
            self._spool.refused(batch.batch_no, refused.code)


class VerdictReader:
    """Learns what became of accepted batches, so that refused rows are seen at the source."""

    def __init__(self, client: ExchangeClient, spool: Spool) -> None:
        self._client, self._spool = client, spool

    def read_all(self) -> None:
        """Raises Temporary, Refused."""
        for batch_no in self._spool.unjudged():
            answer = self._client.verdicts(batch_no)
            if answer["status"] in VERDICT_OPEN:
                continue
            refused = [r for r in answer["rows"] if r["verdict"] == "refused"]
            stale = [(r["type"], r["key"]) for r in answer["rows"] if r["verdict"] == "stale"]
            self._spool.note_bad([(r["type"], r["key"], f"exchange: {r.get('reason') or ''}") for r in refused])
            self._spool.forget(stale)
            if answer["status"] == "refused":
                self._spool.refused(batch_no, "refused")
            else:
                self._spool.applied(batch_no)
            log.info("batch_judged", batch_no=batch_no, refused=len(refused), stale=len(stale))


class AnswerSender:
    """One thread delivers answers; one stays in the store until the exchange has named its id."""

    def __init__(self, client: ExchangeClient, inbox: Inbox, stop: threading.Event) -> None:
        self._client, self._inbox, self._stop = client, inbox, stop
        self.wake = threading.Event()

    def run(self) -> None:
        _keep_sending(self.send_all, self.wake, self._stop, "answers")

    def send_all(self, attempts: int = 0) -> None:
        """Deliver everything that waits. Raises Temporary, Refused."""
        while answers := self._inbox.undelivered():
            try:
                self._send(answers, attempts)
            except Refused:
                self._send_singly(answers, attempts)

    def _send(self, answers: Sequence[dict[str, Any]], attempts: int) -> None:
        message_id = str(uuid.uuid4())
        for attempt in retrying(self._stop, attempts):
            with attempt:
                settled = self._client.answer(answers, message_id)
                if not settled:
                    raise Temporary("answers_not_named")
                self._inbox.delivered(settled)

    def _send_singly(self, answers: Sequence[dict[str, Any]], attempts: int) -> None:
        """An answer that the exchange cannot take for its content must not hold up the others, and would be refused
        for ever: the word that it is unfit takes its place. Refused for anything else, all of them wait."""
        for answer in answers:
            try:
                self._send([answer], attempts)
            except Refused as refused:
                if refused.status not in UNFIT_STATUSES or answer["code"] == UNFIT:
                    raise
                log.failure(UNFIT, refused, id=answer["id"])
                self._inbox.answer_unfit(answer["id"])


class MessageSender:
    """One thread tells the platform what it must hear at once; a message stays in the store until the exchange has it.

    Whoever wrote it may be another process (`--revoke`), so the store is looked at every second.
    """

    def __init__(self, client: ExchangeClient, messages: Messages, stop: threading.Event) -> None:
        self._client, self._messages, self._stop = client, messages, stop
        self.wake = threading.Event()

    def run(self) -> None:
        _keep_sending(self.send_all, self.wake, self._stop, "messages")

    def send_all(self, attempts: int = 0) -> None:
        """Raises Temporary. One that the exchange cannot take must not hold up the others: it is dropped, since a
        nightly comparison finds what it was about."""
        for message in self._messages.unsent():
            for attempt in retrying(self._stop, attempts):
                with attempt:
                    self._send(message)

    def _send(self, message: Message) -> None:
        try:
            self._client.tell(message.type, message.data, message.id)
        except Refused as refused:
            log.failure("message_dropped", refused, type=message.type)
        self._messages.sent(message.id)


def _keep_sending(send_all: Callable[[], None], wake: threading.Event, stop: threading.Event, what: str) -> None:
    """Until the agent stops: at once when woken, and every second."""
    while not stop.is_set():
        wake.wait(1)
        wake.clear()
        try:
            send_all()
        except AgentError as error:
            log.failure(f"{what}_wait", error)
            stop.wait(1)
        except Exception as error:  # the thread must outlive a fault of ours
            log.failure(f"{what}_broken", error)
            stop.wait(1)
