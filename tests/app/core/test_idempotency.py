from __future__ import annotations

import threading
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from app.core import idempotency
from app.core.errors import Invalid
from app.core.idempotency import Answer
from app.core.work import Runtime
from tests.app.kit import Thread, value


def ask(runtime: Runtime, key: str, request: bytes, body: Any, *, principal: str = "account:1") -> Answer:
    """One call: its effect is an audit entry."""
    with runtime.work() as work:
        before = idempotency.begin(work, principal, key, request)
        if before is not None:
            return before
        work.audit("effect", "test", uuid4())
        answer = Answer(201, body)
        idempotency.store(work, principal, key, answer)
    return answer


def effects(runtime: Runtime) -> int:
    found: int = value(runtime, "SELECT count(*) FROM audit_entry")
    return found


def test_the_same_call_again_gets_the_first_answer(runtime: Runtime) -> None:
    first = ask(runtime, "k1", b"one", {"name": "张三"})
    assert ask(runtime, "k1", b"one", {"name": "李四"}) == first == Answer(201, {"name": "张三"})
    assert effects(runtime) == 1
    assert "张三" not in value(runtime, "SELECT response_sealed FROM idempotency_key")


def test_a_key_means_one_request_of_one_caller(runtime: Runtime) -> None:
    ask(runtime, "k1", b"one", 1)
    with pytest.raises(Invalid) as refused:
        ask(runtime, "k1", b"two", 2)
    assert refused.value.code == "idempotency_key_reused"
    assert ask(runtime, "k1", b"two", 2, principal="account:2").body == 2
    assert ask(runtime, "k2", b"one", 3).body == 3
    assert effects(runtime) == 3


def test_a_call_that_failed_may_be_repeated(runtime: Runtime) -> None:
    with pytest.raises(RuntimeError), runtime.work() as work:
        assert idempotency.begin(work, "account:1", "k1", b"one") is None
        raise RuntimeError
    assert ask(runtime, "k1", b"one", 1).body == 1


def test_calls_at_the_same_time_have_one_effect(runtime: Runtime) -> None:
    gate = threading.Barrier(5)

    def call(number: int) -> Any:
        gate.wait()
        return ask(runtime, "k1", b"one", number).body

    threads = [Thread(partial(call, number)) for number in range(5)]
    assert len({thread.result() for thread in threads}) == 1
    assert effects(runtime) == 1
