"""Talking to the product and to the doubles. Nothing here knows more than an HTTP client may."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import uuid4

import httpx
import pyotp

Json = Any
Found = TypeVar("Found")
PAUSE_S, LONGEST_PAUSE_S = 0.2, 1.0
PATIENCE_S = 60.0
TRIES = 20
RETRY_PAUSE_S = 0.5
PAGE = 100


class Refused(Exception):
    """A clear refusal (4xx) with its stable code."""

    def __init__(self, status: int, code: str, what: str) -> None:
        super().__init__(f"{what}: {status} {code}")
        self.status, self.code = status, code


class DayBroken(Exception):
    """The day cannot go on; the message says where it stopped."""


def until(
    what: str, ask: Callable[[], Found | None], *, timeout_s: float = PATIENCE_S, pause_s: float = PAUSE_S
) -> Found:
    """Ask until there is an answer; pauses grow a little, so that many who wait do not crowd out the work."""
    deadline = time.monotonic() + timeout_s
    while True:
        found = ask()
        if found is not None and found is not False:
            return found
        if time.monotonic() > deadline:
            raise DayBroken(f"{what}: nothing after {timeout_s:g} s")
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.4, LONGEST_PAUSE_S)


@dataclass
class Site:
    """One server. `headers` are sent with every call."""

    url: str
    http: httpx.Client
    headers: Mapping[str, str] = field(default_factory=dict)

    def get(self, path: str, **query: Any) -> Json:
        return self.call("GET", path, params=query or None)

    def post(self, path: str, body: Json = None, **headers: str) -> Json:
        return self.call("POST", path, json={} if body is None else body, headers=headers)

    def call(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **how: Any) -> Json:
        """The JSON answer. Raises Refused for 4xx; a server that is away, busy or limiting is asked again."""
        what = f"{method} {path}"
        for attempt in range(1, TRIES + 1):
            try:
                answer = self.http.request(method, self.url + path, headers={**self.headers, **(headers or {})}, **how)
            except httpx.TransportError as error:
                if attempt == TRIES:
                    raise DayBroken(f"{what}: {type(error).__name__}") from error
                time.sleep(RETRY_PAUSE_S)
                continue
            if answer.status_code in (429, 503) and attempt < TRIES:
                time.sleep(float(answer.headers.get("Retry-After", RETRY_PAUSE_S)))
                continue
            return _read(answer, what)
        raise AssertionError("unreachable")


def _read(answer: httpx.Response, what: str) -> Json:
    if answer.status_code >= 500:
        raise DayBroken(f"{what}: {answer.status_code}")
    body = answer.json() if answer.content else {}
    if answer.status_code >= 400:
        raise Refused(answer.status_code, str(body.get("code", "")), what)
    return body


@dataclass
class Login:
    """A pair of tokens that renews itself once the access token has ended."""

    site: Site
    refresh_path: str
    access_token: str
    refresh_token: str
    lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, path: str, **query: Any) -> Json:
        return self._call("GET", path, params=query or None)

    def items(self, path: str, **query: Any) -> list[Json]:
        """What a list holds on all its pages."""
        found: list[Json] = []
        cursor: dict[str, str] = {}
        while True:
            page = self.get(path, limit=PAGE, **query, **cursor)
            found += page["items"]
            if page["next_cursor"] is None:
                return found
            cursor = {"cursor": page["next_cursor"]}

    def post(self, path: str, body: Json = None) -> Json:
        """One operation with a key of its own; whatever has to be repeated is repeated under the same key."""
        return self._call("POST", path, json={} if body is None else body, key=uuid4().hex)

    def _call(self, method: str, path: str, *, key: str = "", **how: Any) -> Json:
        token = self.access_token
        headers = {"Authorization": f"Bearer {token}"} | ({"Idempotency-Key": key} if key else {})
        try:
            return self.site.call(method, path, headers=headers, **how)
        except Refused as refused:
            if refused.status != 401:
                raise
        self._renew(token)
        headers["Authorization"] = f"Bearer {self.access_token}"
        return self.site.call(method, path, headers=headers, **how)

    def _renew(self, ended: str) -> None:
        with self.lock:
            if self.access_token == ended:
                pair = self.site.post(self.refresh_path, {"refresh_token": self.refresh_token})
                self.access_token, self.refresh_token = pair["access_token"], pair["refresh_token"]


def log_in_operator(site: Site, operator: Mapping[str, str]) -> Login:
    """Password and one-time password. A code counts once, so a second login within 30 s takes the next one."""
    body = {"login": operator["login"], "password": operator["password"]}
    body["totp"] = pyotp.TOTP(operator["totp_secret"]).now()
    pair = site.post("/api/v1/operator/login", body)
    return Login(site, "/api/v1/operator/refresh", pair["access_token"], pair["refresh_token"])
