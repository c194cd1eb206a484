"""The forms in which routes answer: once for each Idempotency-Key, with an ETag, as a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from flask import Response, jsonify, request
from pydantic import BaseModel

from app.core import idempotency
from app.core.errors import Invalid
from app.core.idempotency import Answer
from app.core.work import Work
from app.web.site import Caller


@dataclass(frozen=True)
class Download:
    """A file to be saved under a name."""

    name: str
    media_type: str
    content: bytes


def answer_once(
    work: Work, caller: Caller | None, keyed: bool, status: int, effect: Callable[[], BaseModel]
) -> Response:
    """The effect's answer, or the stored one where this key was answered before."""
    if not keyed or caller is None:
        return as_json(Answer(status, effect().model_dump(mode="json")))
    key = idempotency_key()
    meant = f"{request.method} {request.path}\n".encode() + request.get_data()
    answer = idempotency.begin(work, caller.principal, key, meant)
    if answer is None:
        answer = Answer(status, effect().model_dump(mode="json"))
        idempotency.store(work, caller.principal, key, answer)
    return as_json(answer)


def idempotency_key() -> str:
    """The Idempotency-Key of this request; Invalid `idempotency_key_required`."""
    given = request.headers.get("Idempotency-Key", "")
    if not 8 <= len(given) <= 128 or not given.isascii() or not given.isprintable():
        raise Invalid("idempotency_key_required", "请在 Idempotency-Key 头里放 8 至 128 个字符的唯一编号")
    return given


def as_json(answer: Answer) -> Response:
    response = jsonify(answer.body)
    response.status_code = answer.status
    return response


def with_etag(found: BaseModel) -> Response:
    response = as_json(Answer(200, found.model_dump(mode="json")))
    response.set_etag(sha256(response.get_data()).hexdigest()[:32], weak=True)
    response.headers["Cache-Control"] = "private, no-cache"
    made = response.make_conditional(request.environ)
    assert isinstance(made, Response)
    return made


def to_save(file: Download) -> Response:
    response = Response(file.content, content_type=file.media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{file.name}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response
