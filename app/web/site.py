"""What a request handler may reach: the runtime, who is asking, and how each kind of caller proves itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from flask import Request, current_app, g, request

from app.core.errors import Forbidden, Unauthorised
from app.core.work import Actor, Runtime

PUBLIC = "anyone"
ACCOUNT = "account"
OPERATOR = "operator"
PARTNER = "partner"


@dataclass(frozen=True)
class Caller:
    """The principal behind a request. `party_id` is the hospital or insurer it belongs to, if any; `session_id` the
    login that can be revoked."""

    kind: str
    id: UUID
    party_id: UUID | None = None
    roles: frozenset[str] = frozenset()
    session_id: UUID | None = None

    @property
    def principal(self) -> str:
        return f"{self.kind}:{self.id}"


Authenticate = Callable[[Request, Runtime], Caller]


@dataclass
class Site:
    """Kept in `app.extensions["zhipei"]`. `gateways` (app.gateways.Gateways) is only handed on here; `authenticate` has
    one function for each kind of caller."""

    runtime: Runtime
    gateways: Any
    authenticate: Mapping[str, Authenticate] = field(default_factory=dict)


def site() -> Site:
    found = current_app.extensions["zhipei"]
    assert isinstance(found, Site)
    return found


def runtime() -> Runtime:
    return site().runtime


def gateways() -> Any:
    return site().gateways


def request_id() -> str:
    return str(g.request_id)


def admit(kinds: tuple[str, ...], roles: frozenset[str]) -> Caller | None:
    """The caller, proved to be of one of `kinds` and to have one of `roles`; None where anyone may ask."""
    if PUBLIC in kinds:
        return None
    for kind in kinds:
        check = site().authenticate.get(kind)
        if check is not None:
            caller = check(request, runtime())
            if roles and not roles & caller.roles:
                raise Forbidden("not_allowed", "您没有进行这项操作的权限")
            g.caller = caller
            return caller
    raise Unauthorised("not_here", "请先登录")


def actor(caller: Caller | None) -> Actor:
    """Who the audit trail will name."""
    if caller is None:
        return Actor("anyone", "-", request_id())
    return Actor(caller.kind, str(caller.id), request_id())


def bearer(request: Request) -> str:
    """The access token of a request (RFC 6750 section 2.1)."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorised("token_missing", "请先登录")
    return token.strip()
