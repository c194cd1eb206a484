"""Trying again: exponential waits with full jitter that end when the agent stops, and that honour Retry-After."""

from __future__ import annotations

from threading import Event

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    sleep_using_event,
    stop_after_attempt,
    stop_never,
    stop_when_event_set,
    wait_random_exponential,
)

from hospital_agent import log
from hospital_agent.errors import Temporary

_jitter = wait_random_exponential(multiplier=0.2, max=15)


def _wait_s(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked_s = error.retry_after_s if isinstance(error, Temporary) else 0.0
    return max(asked_s, _jitter(state))


def _tell(state: RetryCallState) -> None:
    """The first failure and every tenth after it."""
    error = state.outcome.exception() if state.outcome else None
    if state.attempt_number % 10 == 1 and isinstance(error, Temporary):
        log.warning("trying_again", code=error.code, tries=state.attempt_number)


def retrying(stop: Event, attempts: int = 0) -> Retrying:
    """A tenacity loop over `Temporary`; `attempts` 0 means until `stop` is set. The last error is raised as it is."""
    enough = stop_after_attempt(attempts) if attempts else stop_never
    return Retrying(
        retry=retry_if_exception_type(Temporary),
        stop=enough | stop_when_event_set(stop),
        wait=_wait_s,
        sleep=sleep_using_event(stop),
        before_sleep=_tell,
        reraise=True,
    )
