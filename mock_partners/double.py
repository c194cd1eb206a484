"""The frame that every double stands on, mock_wechat's too: a real HTTP server with a journal, faults and a memory.

A double is a Flask application on a loopback port, started in a thread in milliseconds. It has

- `journal`: every request it answered, in order, for assertions and for the day's invariant checkers;
- `faults`: scripted misbehaviour, matched by method, path and body, each a number of times;
- `table(name)`: a dict that is written through to SQLite, so that a restarted double remembers what it was told;
- `clock`: a virtual time that tests may move forward.

The admin routes under `/__mock__/` do the same over HTTP.
"""

from __future__ import annotations

import json
import logging
import re
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator, MutableMapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask, Response, g, jsonify, request
from werkzeug.serving import BaseWSGIServer, make_server

logging.getLogger("werkzeug").setLevel(logging.WARNING)

# Marks work that is done behind the caller's back, so that no fault meets it a second time.
REPLAYED = "double.replayed"


@dataclass
class Fault:
    """One scripted misbehaviour.

    `path` is a regular expression searched in the path, `contains` a text that must stand in the body.
    `delay_s` waits first. `drop="before"` breaks the connection without doing the work, `drop="after"` does
    the work and loses the answer (the unknown result). `status` and `body` answer in place of the double;
    with `late=True` the work is done all the same, after `delay_s`, behind the caller's back.
    `times` counts down to 0; -1 never ends.
    """

    path: str
    method: str = ""
    contains: str = ""
    times: int = 1
    delay_s: float = 0.0
    drop: str = ""
    status: int = 0
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    late: bool = False

    def matches(self, method: str, path: str, body: str) -> bool:
        return (
            self.times != 0
            and (not self.method or self.method == method)
            and re.search(self.path, path) is not None
            and self.contains in body
        )


class VirtualClock:
    """The double's time: the real one plus an offset that only grows."""

    def __init__(self) -> None:
        self.offset_s = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.offset_s)

    def advance(self, seconds: float) -> None:
        self.offset_s += seconds


class Table(MutableMapping[str, dict[str, Any]]):
    """A dict of JSON objects kept in memory and written through to SQLite. `put` after changing a value in place."""

    def __init__(self, memory: Memory, name: str) -> None:
        self._memory, self._name = memory, name
        self._rows: dict[str, dict[str, Any]] = memory.load(name)

    def put(self, key: str, row: dict[str, Any]) -> None:
        self._rows[key] = row
        self._memory.save(self._name, key, row)

    __setitem__ = put

    def __getitem__(self, key: str) -> dict[str, Any]:
        return self._rows[key]

    def __delitem__(self, key: str) -> None:
        del self._rows[key]
        self._memory.drop(self._name, key)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._rows))

    def __len__(self) -> int:
        return len(self._rows)


class Memory:
    """Where the tables of one double are written through to; nowhere without a path."""

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.execute("CREATE TABLE IF NOT EXISTS row (tab TEXT, key TEXT, body TEXT, PRIMARY KEY (tab, key))")

    def load(self, tab: str) -> dict[str, dict[str, Any]]:
        with self._lock:
            rows = self._db.execute("SELECT key, body FROM row WHERE tab = ? ORDER BY rowid", (tab,)).fetchall()
        return {key: json.loads(body) for key, body in rows}

    def save(self, tab: str, key: str, row: dict[str, Any]) -> None:
        with self._lock:
            self._db.execute(
                "INSERT INTO row VALUES (?, ?, ?) ON CONFLICT (tab, key) DO UPDATE SET body = excluded.body",
                (tab, key, json.dumps(row, ensure_ascii=False)),
            )

    def drop(self, tab: str, key: str) -> None:
        with self._lock:
            self._db.execute("DELETE FROM row WHERE tab = ? AND key = ?", (tab, key))

    def close(self) -> None:
        with self._lock:
            self._db.close()


class Double:
    """One partner's stand-in. A subclass adds its routes to `self.app` in `__init__`."""

    def __init__(self, name: str, *, state_dir: Path | None = None) -> None:
        self.name = name
        self.lock = threading.RLock()
        self.clock = VirtualClock()
        self.faults: list[Fault] = []
        self.memory = Memory(state_dir / f"{name}.sqlite" if state_dir else None)
        self._journal = self.table("journal")
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None
        self.url = ""
        self.app = Flask(f"double.{name}")
        self.app.before_request(self._misbehave)
        self.app.after_request(self._note)
        self._admin_routes()

    def table(self, name: str) -> Table:
        return Table(self.memory, name)

    @property
    def journal(self) -> list[dict[str, Any]]:
        """Requests in order: at (epoch s), method, path, query, body (text), status, dropped ("", before, after)."""
        return list(self._journal.values())

    def note(self, **entry: Any) -> None:
        """Write an entry of the double's own into the journal."""
        with self.lock:
            self._journal.put(f"{len(self._journal):09d}", {"at": time.time(), **entry})

    def start(self, port: int = 0, *, host: str = "127.0.0.1") -> str:
        self._server = make_server(host, port, self.app, threaded=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.url = f"http://{host}:{self._server.server_port}"
        return self.url

    def stop(self) -> None:
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join(5)
            self._server.server_close()
            self._server = None
        self.memory.close()

    def __enter__(self) -> Double:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def fail(self, path: str, **how: Any) -> Fault:
        """Script a fault; see Fault."""
        fault = Fault(path, **how)
        with self.lock:
            self.faults.append(fault)
        return fault

    def _misbehave(self) -> Response | None:
        g.received_at = time.time()
        if request.path.startswith("/__mock__/") or REPLAYED in request.environ:
            return None
        body = request.get_data(as_text=True, cache=True) if not _binary() else ""
        with self.lock:
            fault = next((f for f in self.faults if f.matches(request.method, request.path, body)), None)
            if fault and fault.times > 0:
                fault.times -= 1
        g.fault = fault
        if fault is None:
            return None
        if fault.late:
            self._work_later(fault.delay_s)
        elif fault.delay_s:
            time.sleep(fault.delay_s)
        if fault.drop == "before":
            g.dropped = "before"
            return Response("", 500)
        if fault.status:
            body_text = fault.body if isinstance(fault.body, str) else json.dumps(fault.body, ensure_ascii=False)
            return Response(
                body_text if fault.body is not None else "",
                fault.status,
                {"Content-Type": "application/json", **fault.headers},
            )
        return None

    def _work_later(self, delay_s: float) -> None:
        """Do the request's work behind the caller's back: the partner that commits late."""
        environ = {k: v for k, v in request.environ.items() if isinstance(v, str)}
        data = request.get_data()

        def work() -> None:
            time.sleep(delay_s)
            with self.app.test_client() as client:
                headers = {
                    k[5:].replace("_", "-"): v
                    for k, v in environ.items()
                    if k.startswith("HTTP_") and k != "HTTP_CONTENT_LENGTH"
                }
                url = environ["PATH_INFO"] + ("?" + environ["QUERY_STRING"] if environ.get("QUERY_STRING") else "")
                client.open(
                    url,
                    method=environ["REQUEST_METHOD"],
                    data=data,
                    headers=headers,
                    content_type=environ.get("CONTENT_TYPE"),
                    environ_overrides={REPLAYED: True},
                )

        threading.Thread(target=work, daemon=True).start()

    def _note(self, response: Response) -> Response:
        if request.path.startswith("/__mock__/"):
            return response
        fault: Fault | None = g.get("fault")
        if fault and fault.drop == "after":
            g.dropped = "after"
        self.note(
            method=request.method,
            path=request.path,
            query=request.query_string.decode(),
            body="" if _binary() else request.get_data(as_text=True),
            status=response.status_code,
            received_at=g.received_at,
            dropped=g.get("dropped", ""),
        )
        if g.get("dropped"):
            _hang_up()
        return response

    def _admin_routes(self) -> None:
        app = self.app

        @app.get("/__mock__/health")
        def health() -> Response:
            return jsonify(name=self.name)

        @app.get("/__mock__/journal")
        def journal() -> Response:
            return jsonify(self.journal)

        @app.get("/__mock__/state/<table>")
        def state(table: str) -> Response:
            return jsonify(self.memory.load(table))

        @app.get("/__mock__/faults")
        def list_faults() -> Response:
            return jsonify([asdict(f) for f in self.faults])

        @app.post("/__mock__/faults")
        def add_fault() -> tuple[Response, int]:
            fault = self.fail(**request.get_json())
            return jsonify(asdict(fault)), 201

        @app.delete("/__mock__/faults")
        def clear_faults() -> tuple[str, int]:
            self.faults.clear()
            return "", 204

        @app.post("/__mock__/clock")
        def advance() -> Response:
            self.clock.advance(float(request.get_json()["advance_s"]))
            return jsonify(now=self.clock.now().isoformat())


def _binary() -> bool:
    return "gzip" in request.headers.get("Content-Encoding", "")


def _hang_up() -> None:
    sock = request.environ.get("werkzeug.socket")
    if isinstance(sock, socket.socket):
        with suppress(OSError):  # the caller may have gone first
            sock.shutdown(socket.SHUT_RDWR)
