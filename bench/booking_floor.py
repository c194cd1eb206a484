"""The floor of the booking benchmark (bare Flask, one INSERT, one commit) and its baseline (look, then book), on the
server that ours stands on."""

from __future__ import annotations

import os
import threading
from typing import Any

import psycopg
from flask import Flask, Response, jsonify, request

from app.web.intake import Intake

app = Flask(__name__)
_local = threading.local()


def _connection() -> psycopg.Connection[tuple[Any, ...]]:
    """One for each thread of the server, kept."""
    if not hasattr(_local, "connection"):
        url = os.environ["DATABASE_URL"].replace("postgresql+psycopg://", "postgresql://", 1)
        _local.connection = psycopg.connect(url, autocommit=True)
    found: psycopg.Connection[tuple[Any, ...]] = _local.connection
    return found


@app.post("/api/v1/appointments")
def book() -> tuple[Response, int]:
    wanted = request.get_json()
    _connection().execute(
        "INSERT INTO bench_booking (person_id, slot_id) VALUES (%s, %s)", (wanted["person_id"], wanted["slot_id"])
    )
    return jsonify(status="booked"), 201


@app.post("/api/v1/looked-then-booked")
def look_then_book() -> tuple[Response, int]:
    """What looks right and is not: between the look and the booking others have looked as well."""
    wanted = request.get_json()
    row = _connection().execute("SELECT taken, capacity FROM bench_slot WHERE id = %s", [wanted["slot_id"]]).fetchone()
    assert row is not None
    taken, capacity = row
    if taken >= capacity:
        return jsonify(code="slot_full"), 409
    book()
    _connection().execute("UPDATE bench_slot SET taken = %s WHERE id = %s", (taken + 1, wanted["slot_id"]))
    return jsonify(status="booked"), 201


@app.get("/healthz")
def healthy() -> str:
    return "ok"


asgi = Intake(app, int(os.environ.get("WEB_THREADS", "8")), 16 * 1024 * 1024)
