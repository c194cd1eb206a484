"""What every stage of the day has at hand: the sites, the patients, and a way to do something for many at once."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from demo import world
from demo.day.http import DayBroken, Login, Refused, Site, log_in_operator
from demo.stack import Stack

Item = TypeVar("Item")
Result = TypeVar("Result")
AT_ONCE = 64
# Of those who have to wait for others: each asks again and again, and takes the processor from whoever works for them.
WAITING_AT_ONCE = 12
CODE = re.compile(r"^[0-9]{6}$")


@dataclass
class Patient:
    """Somebody a hospital knows, and what became of them today. `user` is the WeChat user that acts for them."""

    facts: dict[str, Any]
    user: str
    login: Login | None = None
    person_id: str = ""
    appointment: dict[str, Any] = field(default_factory=dict)
    visit: dict[str, Any] = field(default_factory=dict)
    counter_visit: dict[str, Any] = field(default_factory=dict)
    trial_id: str = ""

    @property
    def name(self) -> str:
        """Something to call them by in messages, without a name."""
        return f"patient {self.facts['hospital']}/{self.facts['patient_no']}"

    @property
    def hospital(self) -> str:
        return str(self.facts["hospital"])

    @property
    def cases(self) -> list[str]:
        return list(self.facts["cases"])

    @property
    def api(self) -> Login:
        if self.login is None:
            raise DayBroken(f"{self.name} is not logged in")
        return self.login


@dataclass
class Wish:
    """One claim that somebody makes: at which insurer, under which policy, for which bills (none: today's visit), and
    what the product last said about it."""

    patient: Patient
    insurer: str
    policy_no: str | None
    bill_keys: list[str]
    claim: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.patient.name}, claim at {self.insurer}"


@dataclass
class Codes:
    """Six-digit codes that have arrived by SMS, by phone. One look serves everybody who asks within a moment."""

    sms: Site
    fresh_s: float = 0.15
    lock: threading.Lock = field(default_factory=threading.Lock)
    _looked_at: float = 0.0
    _codes: dict[str, set[str]] = field(default_factory=dict)

    def to(self, phone: str) -> set[str]:
        with self.lock:
            if time.monotonic() - self._looked_at > self.fresh_s:
                self._look()
            return set(self._codes.get(phone, ()))

    def _look(self) -> None:
        for message in self.sms.get("/__mock__/state/messages").values():
            codes = {value for value in message["params"].values() if CODE.match(value)}
            self._codes.setdefault(message["phone"], set()).update(codes)
        self._looked_at = time.monotonic()


@dataclass
class Day:
    """The day in progress."""

    stack: Stack
    http: httpx.Client
    product: Site
    wechat: Site
    patients: list[Patient]
    codes: Codes
    wishes: list[Wish] = field(default_factory=list)
    operators: dict[str, Login] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def date(self) -> str:
        return str(self.stack.world["business_date"])

    def double(self, name: str) -> Site:
        return Site(self.stack.double(name), self.http)

    def app_id(self, hospital: str, kind: str = "oa") -> str:
        return str(world.app_of(self.stack.world, hospital, kind)["app_id"])

    def operator(self, login: str) -> Login:
        """Logged in once, then kept: a one-time password counts only once."""
        with self.lock:
            if login not in self.operators:
                found = next(one for one in self.stack.world["operators"] if one["login"] == login)
                self.operators[login] = log_in_operator(self.product, found)
            return self.operators[login]

    def for_each(self, do: Callable[[Item], Result], items: Iterable[Item], *, at_once: int = AT_ONCE) -> list[Result]:
        """Do it for many at once; the first one that fails ends the day, named."""
        with ThreadPoolExecutor(at_once) as pool:
            futures = [(item, pool.submit(do, item)) for item in items]
            try:
                return [_result(item, future.result) for item, future in futures]
            finally:
                for _, future in futures:
                    future.cancel()


def _result(item: Any, wait: Callable[[], Result]) -> Result:
    try:
        return wait()
    except (DayBroken, Refused) as problem:
        raise DayBroken(f"{_name(item)}: {problem}") from problem


def _name(item: Any) -> str:
    """Of a tuple the first part says who it is about."""
    first = item[0] if isinstance(item, tuple) else item
    return str(getattr(first, "name", ""))


@contextmanager
def opened(stack: Stack) -> Iterator[Day]:
    limits = httpx.Limits(max_connections=2 * AT_ONCE, max_keepalive_connections=2 * AT_ONCE)
    with httpx.Client(timeout=30.0, limits=limits, trust_env=False) as http:
        living = [facts for facts in stack.people if facts["alive"]]
        patients = [Patient(facts, f"{facts['hospital']}-{facts['patient_no']}") for facts in living]
        product, wechat = Site(stack.public_url, http), Site(stack.double("wechat"), http)
        yield Day(stack, http, product, wechat, patients, Codes(Site(stack.double("sms"), http)))
