"""How a route is made: `command` changes something in one transaction, `question` reads, `talk` asks a partner.

Both take the contract that comes in, the contract that goes out and who may call, check the caller first, and hand the
body of the route what it needs. A command of an account or an operator carries an `Idempotency-Key`: its first answer
is stored with its effect and given again to whoever repeats it. Login and refresh, which anyone may call, and partners,
whose message id does the same, carry none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any

from apiflask import APIBlueprint
from flask import Response
from pydantic import BaseModel

from app.core.idempotency import Answer, Asked
from app.web.answers import Download, answer_once, as_json, idempotency_key, to_save, with_etag
from app.web.site import ACCOUNT, OPERATOR, PARTNER, PUBLIC, Caller, actor, admit, gateways, runtime

# The codes of a route's own refusals, by HTTP status.
Refusals = Mapping[int, tuple[str, ...]]
# What any route may answer (app.web.errors, app.web.answers and the doors).
OF_ALL: Refusals = {
    401: ("token_missing", "token_invalid", "token_expired", "session_ended", "not_here"),
    403: ("not_allowed",),
    404: ("not_found",),
    409: ("state_changed", "record_damaged"),
    422: ("invalid", "idempotency_key_required", "idempotency_key_reused"),
    429: ("too_many_requests",),
    503: ("busy", "partner_unavailable", "outcome_unknown"),
}
OF_PARTNERS: Refusals = {**OF_ALL, 401: ("signature_invalid",), 409: ("message_id_reused",), 422: ("invalid",)}
_LATER = {"Retry-After": {"description": "过这么多秒再来", "schema": {"type": "integer", "minimum": 1}}}
_KEY_HEADER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "每次操作一个唯一编号；用同一个编号重试，得到同一个答复",
    "schema": {"type": "string", "minLength": 8, "maxLength": 128},
}


@dataclass(frozen=True)
class Door:
    """Who may pass: kinds of caller (app.web.site) and, for operators, roles of which one is needed."""

    kinds: tuple[str, ...]
    roles: frozenset[str] = frozenset()

    @property
    def keyed(self) -> bool:
        """Whether its commands carry an Idempotency-Key."""
        return ACCOUNT in self.kinds or OPERATOR in self.kinds


def door(*kinds: str, roles: tuple[str, ...] = ()) -> Door:
    return Door(kinds, frozenset(roles))


def command(
    bp: APIBlueprint,
    rule: str,
    may: Door,
    *,
    out: type[BaseModel],
    body: type[BaseModel] | None = None,
    status: int = 200,
) -> Callable[[Callable[..., BaseModel]], Callable[..., BaseModel]]:
    """POST `rule`. The function gets (work, caller, [body], **path) and returns the `out` contract."""

    def register(function: Callable[..., BaseModel]) -> Callable[..., BaseModel]:
        look: Callable[..., None] | None = function.__dict__.get("first")

        def view(caller: Caller | None, **arguments: Any) -> Response:
            given = [arguments.pop("json_data")] if body is not None else []
            if look is not None and caller is not None:
                look(runtime(), Asked(caller.principal, idempotency_key()), caller.id, *given, **arguments)
            with runtime().work(actor(caller)) as work:
                effect = partial(function, work, caller, *given, **arguments)
                return answer_once(work, caller, may.keyed, status, effect)

        _describe(view, function, may)
        wrapped: Any = bp.input(body, arg_name="json_data")(view) if body is not None else view
        wrapped = bp.output(out, status_code=status)(wrapped)
        documented = _document(bp, wrapped, function, may, keyed=may.keyed)
        bp.post(rule, endpoint=function.__name__)(_admitting(may, documented))
        return function

    return register


def first(look: Callable[..., None]) -> Callable[[Callable[..., BaseModel]], Callable[..., BaseModel]]:
    """Under `command`: before anything is written, `look` gets (runtime, asked, the caller's id, [body], **path) and
    may refuse by a cheap read what is asked in vain. It has to let pass what was answered before."""

    def mark(function: Callable[..., BaseModel]) -> Callable[..., BaseModel]:
        function.__dict__["first"] = look
        return function

    return mark


def refuses(codes: Refusals) -> Callable[[Callable[..., BaseModel]], Callable[..., BaseModel]]:
    """Under the maker of a route: the codes of its own refusals, for the API document."""

    def mark(function: Callable[..., BaseModel]) -> Callable[..., BaseModel]:
        function.__dict__["refuses"] = codes
        return function

    return mark


def question(
    bp: APIBlueprint,
    rule: str,
    may: Door,
    *,
    out: type[BaseModel],
    query: type[BaseModel] | None = None,
    audited: bool = False,
) -> Callable[[Callable[..., BaseModel]], Callable[..., BaseModel]]:
    """GET `rule`. The function gets (session, caller, [query], **path); with `audited`, where sensitive data is
    decrypted, a Work in place of the session. Answers carry an ETag and 304 where nothing has changed."""

    def register(function: Callable[..., BaseModel]) -> Callable[..., BaseModel]:
        def view(caller: Caller | None, **arguments: Any) -> Response:
            return with_etag(_found(function, audited, caller, arguments))

        _describe(view, function, may)
        wrapped = bp.output(out)(_asking(bp, query, view))
        bp.get(rule, endpoint=function.__name__)(_admitting(may, _document(bp, wrapped, function, may)))
        return function

    return register


def download(
    bp: APIBlueprint,
    rule: str,
    may: Door,
    *,
    media_types: tuple[str, ...],
    query: type[BaseModel] | None = None,
    audited: bool = False,
) -> Callable[[Callable[..., Download]], Callable[..., Download]]:
    """GET `rule`, answered by a file. The function gets what that of a `question` gets."""

    def register(function: Callable[..., Download]) -> Callable[..., Download]:
        def view(caller: Caller | None, **arguments: Any) -> Response:
            return to_save(_found(function, audited, caller, arguments))

        _describe(view, function, may)
        binary = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in media_types}
        documented = _document(bp, _asking(bp, query, view), function, may)
        documented._spec["responses"] = {200: {"description": "文件", "content": binary}, **_errors(function, may)}
        bp.get(rule, endpoint=function.__name__)(_admitting(may, documented))
        return function

    return register


def talk(
    bp: APIBlueprint,
    rule: str,
    may: Door,
    *,
    out: type[BaseModel],
    body: type[BaseModel],
    status: int = 200,
) -> Callable[[Callable[..., BaseModel]], Callable[..., BaseModel]]:
    """POST `rule` where one transaction is not enough: a partner is called in between, or a failed try must be counted
    although the answer is a refusal. The function gets (runtime, gateways, caller, body, **path) and opens its own
    works; what it does must bear repeating, because nothing of it is stored under an Idempotency-Key."""

    def register(function: Callable[..., BaseModel]) -> Callable[..., BaseModel]:
        def view(caller: Caller | None, **arguments: Any) -> Response:
            found = function(runtime(), gateways(), caller, arguments.pop("json_data"), **arguments)
            return as_json(Answer(status, found.model_dump(mode="json")))

        _describe(view, function, may)
        wrapped: Any = bp.input(body, arg_name="json_data")(view)
        wrapped = bp.output(out, status_code=status)(wrapped)
        bp.post(rule, endpoint=function.__name__)(_admitting(may, _document(bp, wrapped, function, may)))
        return function

    return register


def signed_command(
    bp: APIBlueprint, rule: str, may: Door, *, body: type[BaseModel], out: type[BaseModel], status: int = 200
) -> Callable[[Callable[[], BaseModel]], Callable[[], BaseModel]]:
    """POST `rule` for callers who sign the text of their body. The function reads the body itself, after the signature
    has been checked; here `body` only documents what it expects."""

    def register(function: Callable[[], BaseModel]) -> Callable[[], BaseModel]:
        def view() -> Response:
            return as_json(Answer(status, function().model_dump(mode="json")))

        _describe(view, function, may)
        view.__dict__["_spec"] = bp.input(body)(view).__dict__["_spec"]
        wrapped: Any = bp.output(out, status_code=status)(view)
        bp.post(rule, endpoint=function.__name__)(_document(bp, wrapped, function, may))
        return function

    return register


def callback(
    bp: APIBlueprint, rule: str, methods: tuple[str, ...] = ("POST",)
) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """A route that WeChat calls in its own form: it proves itself by its signature, so anyone may knock. The function
    reads the raw request and answers it; it stands in no API document."""

    def register(function: Callable[..., Response]) -> Callable[..., Response]:
        def view(**arguments: Any) -> Response:
            return function(**arguments)

        _describe(view, function, door(PUBLIC))
        bp.route(rule, methods=list(methods), endpoint=function.__name__)(bp.doc(hide=True)(view))
        return function

    return register


def _found(function: Callable[..., Any], audited: bool, caller: Caller | None, arguments: dict[str, Any]) -> Any:
    """What a reading function finds, in a session of its own or, with `audited`, in a Work."""
    given = [arguments.pop("query_data")] if "query_data" in arguments else []
    if audited:
        with runtime().work(actor(caller)) as work:
            return function(work, caller, *given, **arguments)
    with runtime().read() as session:
        return function(session, caller, *given, **arguments)


def _asking(bp: APIBlueprint, query: type[BaseModel] | None, view: Any) -> Any:
    return view if query is None else bp.input(query, location="query", arg_name="query_data")(view)


def _admitting(may: Door, view: Any) -> Any:
    """Whoever may not pass learns nothing of what the route expects: the door comes before the contract."""

    @wraps(view)
    def admitting(**arguments: Any) -> Any:
        return view(caller=admit(may.kinds, may.roles), **arguments)

    return admitting


def _describe(view: Callable[..., Any], function: Callable[..., Any], may: Door) -> None:
    """Name the view after its function and note who may call it: tests/test_house.py reads `door`."""
    view.__name__, view.__doc__, view.__module__ = function.__name__, function.__doc__, function.__module__
    view.__dict__["door"] = may


def _document(bp: APIBlueprint, view: Any, function: Callable[..., Any], may: Door, *, keyed: bool = False) -> Any:
    anyone = PUBLIC in may.kinds
    return bp.doc(
        summary=(function.__doc__ or function.__name__).strip().splitlines()[0],
        responses=_errors(function, may),
        security=None if anyone else list(may.kinds),
        operation_id=f"{bp.name}.{function.__name__}",
        extensions={"parameters": [_KEY_HEADER]} if keyed and not anyone else None,
    )(view)


def _errors(function: Callable[..., Any], may: Door) -> dict[int | str, dict[str, Any]]:
    """The refusals as they stand in the API document, the route's own first. APIFlask names its error component so;
    app/factory.py gives it the shape of app.web.errors.ErrorView."""
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/HTTPError"}}}
    own: Refusals = function.__dict__.get("refuses", {})
    found: dict[int | str, dict[str, Any]] = {}
    for status, common in (OF_PARTNERS if PARTNER in may.kinds else OF_ALL).items():
        codes = "、".join(f"`{code}`" for code in (*own.get(status, ()), *common))
        headers = {"headers": _LATER} if status in (429, 503) else {}
        found[status] = {"description": f"错误，code：{codes}", "content": content, **headers}
    return found
