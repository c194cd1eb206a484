"""How doubles answer: a stable code and a Chinese message, never a piece of the input, never a 500 for bad input."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from flask import Flask, Response, jsonify, request

log = logging.getLogger(__name__)

Answer = tuple[Response, int]


class Refused(Exception):
    """A clear refusal: HTTP status, code, message, and what else the answer's JSON shall hold."""

    def __init__(self, status: int, code: str, message: str, **more: Any) -> None:
        super().__init__(code)
        self.status, self.code, self.message, self.more = status, code, message, more


def refusal(status: int, code: str, message: str, **more: Any) -> Answer:
    return jsonify(code=code, message=message, **more), status


def json_body(*fields: str) -> Mapping[str, Any]:
    """The request's JSON object, which must have these fields; raises Refused."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or missing(body, fields):
        raise Refused(422, "malformed", "请求格式有误")
    return body


def missing(body: Any, fields: Iterable[str]) -> list[str]:
    """The names among `fields` that a JSON object lacks; all of them if it is no object."""
    return [name for name in fields if not isinstance(body, dict) or name not in body]


def answer_refusals(app: Flask) -> None:
    """Refusals, and what malformed values inside a request raise, become clear answers of `app`."""

    @app.errorhandler(Refused)
    def refused(error: Refused) -> Answer:
        return refusal(error.status, error.code, error.message, **error.more)

    @app.errorhandler(AttributeError)
    @app.errorhandler(ArithmeticError)
    @app.errorhandler(LookupError)
    @app.errorhandler(TypeError)
    @app.errorhandler(ValueError)
    def malformed(error: Exception) -> Answer:
        log.warning("a request was refused as malformed", exc_info=error)
        return refusal(422, "malformed", "请求格式有误")
