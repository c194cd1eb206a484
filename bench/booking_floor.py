"""The floor of the booking benchmark: bare Flask, one INSERT, one commit, on the server that ours stands on."""

from __future__ import annotations

import os
import threading

import psycopg
from flask import Flask, Response, jsonify, request

from app.web.intake import Intake

app = Flask(__name__)
_local = threading.local()


def _connection() -> psycopg.Connection[tuple[object, ...]]:
    """One for each thread of the server, kept."""
    if not hasattr(_local, "connection"):
        url = os.environ["DATABASE_URL"].replace("postgresql+psycopg://", "postgresql://", 1)
        _local.connection = psycopg.connect(url, autocommit=True)
    found: psycopg.Connection[tuple[object, ...]] = _local.connection
    return found


@app.post("/api/v1/appointments")
def book() -> tuple[Response, int]:
    wanted = request.get_json()
    _connection().execute(
        "INSERT INTO bench_booking (person_id, slot_id) VALUES (%s, %s)", (wanted["person_id"], wanted["slot_id"])
    )
    return jsonify(status="booked"), 201


@app.get("/healthz")
def healthy() -> str:
    return "ok"


asgi = Intake(app, int(os.environ.get("WEB_THREADS", "8")), 16 * 1024 * 1024)
