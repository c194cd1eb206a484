"""The frame that every double stands on, mock_wechat's too: a real HTTP server with a journal, faults and a memory.

A double is a Flask application on a loopback port, started in a thread in milliseconds. It has

- `journal`: every request it answered, in order, for assertions and for the day's invariant checkers;
- `faults`: scripted misbehaviour, matched by method, path and body, each a number of times;
- `paces`: how long it thinks about requests by path, always the same or log-normal from a seed;
- `table(name)`: a dict that is written through to SQLite, so that a restarted double remembers what it was told;
- `clock`: a virtual time that tests may move forward.

The admin routes under `/__mock__/` do the same over HTTP.
"""

from __future__ import annotations

import json
import logging
import re
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from flask import Flask, Response, g, jsonify, request
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from mock_partners.faults import Fault
from mock_partners.latency import Latency
from mock_partners.memory import Memory, Table, VirtualClock

logging.getLogger("werkzeug").setLevel(logging.WARNING)

# How soon a server notices that it is to stop.
_POLL_S = 0.02
# Marks work that is done behind the caller's back, so that no fault meets it a second time.
REPLAYED = "double.replayed"


class _OneRequest(WSGIRequestHandler):
    protocol_version = "HTTP/1.0"  # a connection for each request


class Double:
    """One partner's stand-in. A subclass adds its routes to `self.app` in `__init__`. With `in_order` the journal's
    `received_at` is exact in its order, at the price of a connection for each request."""

    in_order = False

    def __init__(self, name: str, *, state_dir: Path | None = None) -> None:
        self.name = name
        self.lock = threading.RLock()
        self.clock = VirtualClock()
        self.faults: list[Fault] = []
        self.paces: dict[str, Latency] = {}
        self.memory = Memory(state_dir / f"{name}.sqlite" if state_dir else None)
        self._journal = self.table("journal")
        self._accepted: dict[tuple[str, int], float] = {}
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
        handler = _OneRequest if self.in_order else None
        self._server = make_server(host, port, self.app, threaded=True, request_handler=handler)
        if self.in_order:
            self._note_connections(self._server)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL_S,), daemon=True)
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

    def __enter__(self) -> Self:
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

    def pace(self, path: str, latency: Mapping[str, Any] | None) -> None:
        """Think about requests whose path matches the regular expression as `latency` says (see Latency), again at once
        with None."""
        self.paces = {one: pace for one, pace in self.paces.items() if one != path}
        if latency is not None:
            self.paces |= {path: Latency(latency)}

    def _note_connections(self, server: BaseWSGIServer) -> None:
        """Connections are accepted one after the other, as they were made; the threads that then work on them begin in
        any order."""
        start_thread = server.process_request

        def accept(request: Any, address: Any) -> None:
            self._accepted[address[:2]] = time.time()
            start_thread(request, address)

        server.process_request = accept  # type: ignore[method-assign, assignment]

    def _misbehave(self) -> Response | None:
        caller = (request.environ.get("REMOTE_ADDR", ""), int(request.environ.get("REMOTE_PORT", 0)))
        g.received_at = self._accepted.pop(caller, None) or time.time()
        if request.path.startswith("/__mock__/") or REPLAYED in request.environ:
            return None
        for path, latency in self.paces.items():
            if re.search(path, request.path):
                time.sleep(latency.next_s())
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

        @app.post("/__mock__/paces")
        def set_pace() -> Response:
            self.pace(**request.get_json())
            return jsonify({path: latency.settings for path, latency in self.paces.items()})

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
