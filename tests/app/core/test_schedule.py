from __future__ import annotations

import threading
from datetime import date

from app.core import schedule
from app.core.work import Runtime
from tests.app.kit import Thread

DAY = date(2026, 11, 21)


def test_one_of_many_may_start_a_days_run(runtime: Runtime) -> None:
    gate = threading.Barrier(4)

    def claim() -> bool:
        gate.wait()
        with runtime.work() as work:
            return schedule.claim(work.session, DAY, "night")

    threads = [Thread(claim) for _ in range(4)]
    assert sorted(thread.result() for thread in threads) == [False, False, False, True]


def test_a_run_that_failed_to_start_may_be_started(runtime: Runtime) -> None:
    try:
        with runtime.work() as work:
            assert schedule.claim(work.session, DAY, "night")
            raise RuntimeError
    except RuntimeError:
        pass
    with runtime.work() as work:
        assert schedule.claim(work.session, DAY, "night")
        assert schedule.claim(work.session, DAY, "other")
        assert schedule.claim(work.session, date(2026, 11, 22), "night")
        assert not schedule.claim(work.session, DAY, "night")
    with runtime.read() as session:
        assert schedule.last_day(session, "night") == date(2026, 11, 22)
        assert schedule.last_day(session, "never") is None
