"""The pushes are kept in a table, sent from background threads, and repeated until they are taken."""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import timedelta
from functools import lru_cache
from typing import Any

import httpx

from mock_wechat.ground import Ground
from mock_wechat.push import Push, PushFault, Sender, Sent
from mock_wechat.times import parse

IDLE_S = 0.1
THREADS = 8

log = logging.getLogger(__name__)


@lru_cache
def tls() -> ssl.SSLContext:
    """One for the process: loading the authorities takes longer than anything else here."""
    return ssl.create_default_context()


class Pusher:
    """`http` is the client that every sender uses; `senders` and `givers_up` are filled by the parts, by kind."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self.http = httpx.Client(timeout=ground.settings.answer_within_s, verify=tls())
        self._table = ground.table("push")
        self._open = {key for key, row in self._table.items() if row["state"] == "pending"}
        self._in_work: set[str] = set()
        self.faults: list[PushFault] = []
        self.senders: dict[str, Sender] = {}
        self.givers_up: dict[str, Callable[[dict[str, Any]], None]] = {}
        self._wake = threading.Condition()
        self._ending = False
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="wechat-push")
        self._loop = threading.Thread(target=self._run, daemon=True, name="wechat-push-loop")

    def start(self) -> None:
        self._loop.start()

    def stop(self) -> None:
        with self._wake:
            self._ending = True
            self._wake.notify_all()
        if self._loop.is_alive():
            self._loop.join()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self.http.close()

    def submit(self, push: Push, *, now: bool = False) -> Sent | None:
        """Keep a push and send it soon; with `now` (or a fault that says so) the first attempt is made here.

        Call it without holding the lock: the receiver may well ask back before it answers.
        """
        fault = self._fault_for(push)
        with self._ground.lock:
            key = f"{self._ground.number('push'):09d}"
            due = self._ground.now() + timedelta(seconds=push.delay_s + fault.delay_s)
            row = {**asdict(push), "key": key, "tries": 0, "state": "pending", "next_at": due.isoformat()}
            row |= {"fault": asdict(fault), "last": ""}
            self._table.put(key, row)
            at_once = (now and not fault.delay_s) or fault.before_answer
            if at_once:
                self._in_work.add(key)
            self._open.add(key)
        if at_once:
            return self._attempt(key)
        with self._wake:
            self._wake.notify_all()
        return None

    def repeat(self, key: str) -> Sent:
        """Send a kept push once more, whatever became of it: a duplicate."""
        with self._ground.lock:
            self._in_work.add(key)
        return self._attempt(key)

    def _fault_for(self, push: Push) -> PushFault:
        text = f"{push.topic} {push.url} {push.content}"
        with self._ground.lock:
            for fault in self.faults:
                if fault.times != 0 and fault.contains in text:
                    fault.times -= 1 if fault.times > 0 else 0
                    return fault
        return PushFault()

    def _run(self) -> None:
        while not self._ending:
            self._sweep()
            for key in self._due():
                self._pool.submit(self._attempt, key)
            with self._wake:
                if not self._ending:
                    self._wake.wait(IDLE_S)

    def _sweep(self) -> None:
        for sweep in self._ground.sweepers:
            try:
                sweep()
            except Exception:
                # One part's mistake must not silence the pushes of all others.
                log.exception("a sweeper failed")

    def _due(self) -> list[str]:
        now = self._ground.now()
        with self._ground.lock:
            waiting = self._open - self._in_work
            due = sorted(key for key in waiting if parse(self._table[key]["next_at"]) <= now)
            self._in_work.update(due)
            return due

    def _attempt(self, key: str) -> Sent:
        row = self._table[key]
        fault = PushFault(**row["fault"])
        if fault.attempts != -1 and row["tries"] >= fault.attempts:
            fault.lose, fault.signature = False, ""
        sent = self._send(row, fault)
        if row["tries"] == 0:
            for _ in range(fault.copies - 1):
                sent = self._send(row, fault)
        with self._ground.lock:
            self._settle(row, sent)
            self._in_work.discard(key)
        return sent

    def _send(self, row: dict[str, Any], fault: PushFault) -> Sent:
        if fault.lose:
            sent = Sent(False, 0, "lost on the way")
        else:
            try:
                sent = self.senders[row["kind"]](row, fault)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                sent = Sent(False, 0, type(error).__name__)
        self._ground.double.note(
            method="PUSH", path=row["url"], topic=row["topic"], body="", status=sent.status, push=row["key"]
        )
        return sent

    def _settle(self, row: dict[str, Any], sent: Sent) -> None:
        row["tries"] += 1
        row["last"] = f"{sent.status} {sent.text}"[:200]
        if sent.taken:
            row["state"] = "taken"
        elif row["state"] == "pending" and row["tries"] <= len(row["ladder_s"]):
            pause_s = row["ladder_s"][row["tries"] - 1]
            row["next_at"] = (self._ground.now() + timedelta(seconds=pause_s)).isoformat()
        elif row["state"] == "pending":
            row["state"] = "given_up"
            if row["kind"] in self.givers_up:
                self.givers_up[row["kind"]](row)
        if row["state"] != "pending":
            self._open.discard(row["key"])
        self._table.put(row["key"], row)
